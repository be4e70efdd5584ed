package transfer

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"
)

// Sender is the side that has the files. It lives as long as the transfer: Connect begins anew on every channel, and
// what was hashed once is not read again.
type Sender struct {
	engine
	offer    Offer
	files    []outgoing
	accepted bool
	paused   [2]bool      // by the other side, by this one
	file     int          // the first file that may have something to send
	ahead    int          // bytes of chunks that the receiver did not confirm yet
	again    []spot       // to be sent once more
	repeats  map[spot]int // how often that was asked for
	check    []spot       // to be hashed before anything is sent: the receiver has them
	reading  reading
	left     int // files that are not verified
}

// outgoing is one file.
type outgoing struct {
	File
	own      hashes // of what was read
	have     ranges // what the receiver has, or was sent
	stored   ranges // what the receiver confirmed
	digest   string // of what the receiver had, until it was compared
	claimed  ranges // what digest is about
	next     uint32 // no chunk below is left to send
	told     bool   // done was said
	verified bool
}

type spot struct {
	file  int
	chunk uint32
}

// reading is the chunk that is being read, to be sent or only to be hashed.
type reading struct {
	spot
	offset int
	length int // of the chunk; 0 between chunks
	send   bool
	sum    hash.Hash
	last   int // how much the last Read asked for
}

// NewSender prepares to send. The error says what a receiver would refuse.
func NewSender(o Offer) (*Sender, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	size := 0
	for _, text := range offerTexts(o) {
		size += len(text)
	}
	if size > MaxOffer {
		return nil, fmt.Errorf("transfer: names of files that take %d bytes, at most %d are allowed: send an archive", size, MaxOffer)
	}
	s := &Sender{offer: o, files: make([]outgoing, len(o.Files))}
	for i, f := range o.Files {
		s.files[i].File = f
	}
	return s, nil
}

// Connect begins on a new channel; what was under way on an older one is forgotten. A transfer that is over stays so.
func (s *Sender) Connect() {
	if s.over {
		return
	}
	s.actions, s.accepted, s.paused[0], s.file, s.ahead, s.again, s.check = nil, false, false, 0, 0, nil, nil
	s.reading, s.left, s.repeats, s.pauses = reading{}, len(s.files), make(map[spot]int), 0
	for i := range s.files {
		f := &s.files[i]
		f.have, f.stored, f.digest, f.claimed, f.next, f.told, f.verified = nil, nil, "", nil, 0, false, false
	}
	for _, text := range offerTexts(s.offer) {
		s.do(Say{text})
	}
	s.offer.Again = true
	if s.paused[1] {
		s.engine.Pause(true)
	}
}

// Pause stops sending, or goes on, and tells the other side.
func (s *Sender) Pause(on bool) {
	s.paused[1] = on
	s.engine.Pause(on)
}

// Next returns what is to be done, nil when something has to happen first. No data is read while limit, how much of it
// one frame may carry now, is not positive.
func (s *Sender) Next(limit int) Action {
	if a := s.pop(); a != nil || s.over || !s.accepted {
		return a
	}
	if s.reading.length == 0 {
		s.begin()
	}
	if a := s.pop(); a != nil || s.over {
		return a
	}
	r := &s.reading
	switch {
	case r.length == 0:
		return nil
	case !r.send:
		limit = MaxPayload
	case limit <= 0 || s.paused[0] || s.paused[1]:
		return nil
	}
	r.last = min(limit, MaxPayload, r.length-r.offset)
	return Read{File: r.file, At: int64(r.chunk)*ChunkSize + int64(r.offset), Length: r.last}
}

// begin chooses the next chunk, or says that files are done.
func (s *Sender) begin() {
	if len(s.check) > 0 {
		s.start(s.check[0], false)
		s.check = s.check[1:]
		return
	}
	if len(s.again) > 0 {
		s.start(s.again[0], true)
		s.again = s.again[1:]
		return
	}
	for ; s.file < len(s.files); s.file++ {
		f := &s.files[s.file]
		if f.next = f.have.next(f.next); f.next < f.Chunks() {
			if n := f.ChunkLength(f.next); s.ahead+n <= ahead {
				s.ahead += n
				f.have.add(f.next)
				s.start(spot{s.file, f.next}, true)
			}
			return
		}
		if !f.told {
			f.told = true
			root := f.own.root(f.File)
			s.say(&message{Type: typeDone, place: in(s.file), Hash: root.String()})
		}
	}
}

func (s *Sender) start(at spot, send bool) {
	s.reading = reading{spot: at, length: s.files[at.file].ChunkLength(at.chunk), send: send, sum: sha256.New()}
}

// Take takes the bytes that Read asked for, which stand in frame behind room for a header. It reports whether frame is
// to be sent now; the chunk's hash may follow as the next action. The bytes are not kept.
func (s *Sender) Take(frame []byte) (send bool) {
	r := &s.reading
	data := frame[HeaderSize:]
	if len(data) != r.last || r.length == 0 {
		panic(fmt.Sprintf("transfer: %d bytes were asked for, not %d", r.last, len(data)))
	}
	Header{Kind: KindData, File: uint32(r.file), Chunk: r.chunk, Offset: uint32(r.offset)}.Put(frame)
	_, _ = r.sum.Write(data) // never fails
	if r.offset += len(data); r.offset < r.length {
		return r.send
	}
	f, h := &s.files[r.file], Hash(r.sum.Sum(nil))
	send, r.length = r.send, 0
	if f.own.have.has(r.chunk) && f.own.get(r.chunk) != h {
		s.cancel(Changed, fmt.Errorf("transfer: %q changed while it was sent", f.Path))
		return false
	}
	f.own.set(r.chunk, h)
	if send {
		hash := make([]byte, HeaderSize+HashSize)
		Header{Kind: KindHash, File: uint32(r.file), Chunk: r.chunk}.Put(hash)
		copy(hash[HeaderSize:], h[:])
		s.do(Send{hash})
		return true
	}
	if len(s.check) == 0 || s.check[0].file != r.file {
		s.compare(r.file)
	}
	return false
}

// compare checks that the receiver's part of a file is a part of ours.
func (s *Sender) compare(file int) {
	f := &s.files[file]
	if f.digest != "" && f.own.digest(f.claimed).String() != f.digest {
		s.cancel(Changed, fmt.Errorf("transfer: %q is not the file that the receiver has a part of", f.Path))
	}
	f.digest, f.claimed = "", nil
}

// Text takes a control message of the receiver.
func (s *Sender) Text(b []byte) {
	m, err := decode(b)
	if err == nil && !s.over {
		err = s.obey(m)
	}
	if err != nil {
		s.cancel(Fault, err)
	}
}

func (s *Sender) obey(m *message) error {
	switch m.Type {
	case typeHeld:
		return s.holds(m.Have)
	case typeAccept:
		return s.accept(m)
	case typeRefuse:
		if m.Reason == "" || len(m.Reason) > 32 {
			m.Reason = Declined
		}
		s.end(Ended{Reason: m.Reason})
	case typeHave:
		return s.confirmed(m.place)
	case typeAgain:
		return s.once(m.place)
	case typeVerified:
		return s.verified(m)
	case typePause, typeResume:
		s.paused[0] = m.Type == typePause
		return s.hears(s.paused[0])
	case typeCancel:
		s.cancelled(m.Reason)
	}
	return nil // a later version's message
}

// holds notes what the receiver has already.
func (s *Sender) holds(list []held) error {
	if s.accepted {
		return fault("accepted twice")
	}
	for _, h := range list {
		if int(h.File) >= len(s.files) {
			return fault("file %d of %d", h.File, len(s.files))
		}
		f := &s.files[h.File]
		if f.claimed != nil || !h.Ranges.valid(f.Chunks()) {
			return fault("a claim of parts that file %d does not have", h.File)
		}
		if _, err := ParseHash(h.Digest); err != nil {
			return fault("%q is no digest", h.Digest)
		}
		f.claimed, f.digest, f.have, f.stored = h.Ranges, h.Digest, append(ranges{}, h.Ranges...), append(ranges{}, h.Ranges...)
	}
	return nil
}

func (s *Sender) accept(m *message) error {
	if err := s.holds(m.Have); err != nil {
		return err
	}
	var bytes int64
	for i := range s.files {
		f := &s.files[i]
		if f.claimed == nil {
			continue
		}
		known := true
		for _, r := range f.claimed {
			for c := r[0]; c < r[1]; c++ {
				bytes += int64(f.ChunkLength(c))
				if !f.own.have.has(c) {
					s.check, known = append(s.check, spot{i, c}), false
				}
			}
		}
		if known {
			s.compare(i)
		}
	}
	s.accepted = true
	s.do(Accepted{Held: bytes, Bulk: m.Bulk})
	return nil
}

// spot checks a place that the receiver speaks of.
func (s *Sender) spot(p place) (*outgoing, spot, error) {
	if p.File == nil || p.Chunk == nil || !s.accepted || int(*p.File) >= len(s.files) ||
		*p.Chunk >= s.files[*p.File].Chunks() {
		return nil, spot{}, fault("a word about a chunk that does not exist")
	}
	f := &s.files[*p.File]
	if !f.have.has(*p.Chunk) || f.stored.has(*p.Chunk) || s.reading.length > 0 && s.reading.spot == (spot{int(*p.File), *p.Chunk}) {
		return nil, spot{}, fault("a word about a chunk that was not sent, or has its answer")
	}
	return f, spot{int(*p.File), *p.Chunk}, nil
}

func (s *Sender) confirmed(p place) error {
	f, at, err := s.spot(p)
	if err != nil {
		return err
	}
	f.stored.add(at.chunk)
	s.ahead -= f.ChunkLength(at.chunk)
	s.do(Stored{int64(f.ChunkLength(at.chunk))})
	return nil
}

// once queues a chunk that did not arrive as it was sent.
func (s *Sender) once(p place) error {
	_, at, err := s.spot(p)
	if err != nil {
		return err
	}
	if s.repeats[at]++; s.repeats[at] >= tries || slices.Contains(s.again, at) {
		return fault("it asks for the same chunk over and over")
	}
	s.again = append(s.again, at)
	return nil
}

func (s *Sender) verified(m *message) error {
	if m.File == nil || int(*m.File) >= len(s.files) || !s.files[*m.File].told || s.files[*m.File].verified {
		return fault("a word about a file that was not sent")
	}
	f := &s.files[*m.File]
	root := f.own.root(f.File)
	if m.Hash != root.String() || f.stored.count() != f.Chunks() {
		return fault("it verified another file")
	}
	f.verified = true
	s.do(Verified{int(*m.File), root})
	if s.left--; s.left == 0 {
		s.end(Done{})
	}
	return nil
}
