package transfer

import (
	"crypto/sha256"
	"fmt"
	"hash"
)

// maxRanges is how many ranges of one file a receiver speaks of. More are only there when a sender jumped about.
const maxRanges = 2000

// Receiver is the side that gets the files, on one channel.
type Receiver struct {
	engine
	offer    Offer
	count    int   // files that the offer has
	total    int64 // that it says
	text     int   // how much of an offer came
	offered  bool  // all of the offer came
	accepted bool
	files    []incoming
	busy     bool // a chunk is on its way
	at       spot
	offset   int
	sum      hash.Hash
	bad      map[spot]int // how often a chunk came with a wrong hash
	left     int          // files that are not finished
}

// incoming is one file.
type incoming struct {
	File
	got      hashes // verified
	stored   ranges
	root     string // that the sender says
	closing  bool   // Finish was asked for
	finished bool
	settled  *settled // not nil when it is in its place since an earlier channel
}

// settled is what is kept of a file whose chunks need not be known any more.
type settled struct{ digest, root Hash }

// Text takes a control message of the sender.
func (r *Receiver) Text(b []byte) {
	m, err := decode(b)
	if err == nil && !r.over {
		err = r.obey(m, len(b))
	}
	if err != nil {
		r.cancel(Fault, err)
	}
}

// Next returns what is to be done, nil when something has to happen first.
func (r *Receiver) Next() Action { return r.pop() }

func (r *Receiver) obey(m *message, size int) error {
	switch m.Type {
	case typeOffer, typeMore:
		return r.described(m, size)
	case typeDone:
		return r.done(m)
	case typePause, typeResume:
		return r.hears(m.Type == typePause)
	case typeCancel:
		r.cancelled(m.Reason)
	}
	return nil // a later version's message
}

// described gathers the offer.
func (r *Receiver) described(m *message, size int) error {
	if r.offered || (m.Type == typeOffer) != (r.count == 0) {
		return fault("an offer where none may be")
	}
	if m.Type == typeOffer {
		r.offer = Offer{Name: m.Name, Again: m.Again}
		if r.count = m.Count; r.count == 0 {
			r.count = len(m.Files)
		}
		if m.Total != nil {
			r.total = *m.Total
		}
	}
	r.offer.Files = append(r.offer.Files, m.Files...)
	if r.text += size; r.text > MaxOffer || r.count < 1 || r.count > MaxFiles || len(r.offer.Files) > r.count || len(m.Files) == 0 {
		r.refuse(BadOffer, fmt.Errorf("transfer: an offer of %d files with %d bytes of description", r.count, r.text))
		return nil
	}
	if len(r.offer.Files) < r.count {
		return nil
	}
	r.offered = true
	if err := r.offer.check(); err != nil {
		r.refuse(BadOffer, err)
		return nil
	}
	if r.total != r.offer.Total() {
		r.refuse(BadOffer, fmt.Errorf("transfer: files of %d bytes are said to be %d", r.offer.Total(), r.total))
		return nil
	}
	r.do(Offered{r.offer})
	return nil
}

// Hold adds a chunk that an earlier channel brought, and that is stored. It is for between Offered and Accept; the file
// and the chunk exist.
func (r *Receiver) Hold(file int, chunk uint32, hash Hash) {
	r.prepare()
	r.files[file].got.set(chunk, hash)
}

// Settle says that a file is whole and in its place since an earlier channel: what Finish told of it then. It is for
// between Offered and Accept, instead of Hold.
func (r *Receiver) Settle(file int, digest, root Hash) {
	r.prepare()
	r.files[file].settled = &settled{digest, root}
}

func (r *Receiver) prepare() {
	if r.files != nil {
		return
	}
	r.files, r.left, r.bad = make([]incoming, len(r.offer.Files)), len(r.offer.Files), make(map[spot]int)
	for i, f := range r.offer.Files {
		r.files[i].File = f
	}
}

// Accept asks for the files, or for what is missing of them. bulk says that a link for bulk is welcome.
func (r *Receiver) Accept(bulk bool) {
	if r.over || r.accepted || !r.offered {
		return
	}
	r.prepare()
	r.accepted = true
	var list []held
	for i := range r.files {
		f := &r.files[i]
		if f.settled != nil && f.Chunks() > 0 {
			list = append(list, held{File: uint32(i), Ranges: ranges{{0, f.Chunks()}}, Digest: f.settled.digest.String()})
			continue
		}
		if len(f.got.have) == 0 {
			continue
		}
		if len(f.got.have) > maxRanges {
			kept := hashes{}
			for _, p := range f.got.have[:maxRanges] {
				for c := p[0]; c < p[1]; c++ {
					kept.set(c, f.got.get(c))
				}
			}
			f.got = kept
		}
		f.stored = append(ranges{}, f.got.have...)
		list = append(list, held{File: uint32(i), Ranges: f.stored, Digest: f.got.digest(f.stored).String()})
	}
	parts := split(list)
	for _, part := range parts[:len(parts)-1] {
		r.say(&message{Type: typeHeld, Have: part})
	}
	r.say(&message{Type: typeAccept, Have: parts[len(parts)-1], Bulk: bulk})
}

// Refuse says no to the offer.
func (r *Receiver) Refuse(reason Reason) { r.refuse(reason, nil) }

func (r *Receiver) refuse(reason Reason, err error) {
	if !r.over {
		r.say(&message{Type: typeRefuse, Reason: reason})
		r.end(Ended{Reason: reason, Mine: true, Err: err})
	}
}

// Data takes a binary frame of the sender. The actions that follow refer to it.
func (r *Receiver) Data(frame []byte) {
	if r.over {
		return
	}
	h, payload, err := ParseFrame(frame)
	if err == nil {
		err = r.put(h, payload)
	}
	if err != nil {
		r.cancel(Fault, err)
	}
}

func (r *Receiver) put(h Header, payload []byte) error {
	if !r.accepted || int64(h.File) >= int64(len(r.files)) || h.Chunk >= r.files[h.File].Chunks() {
		return fault("data of a chunk that was not asked for")
	}
	f, at := &r.files[h.File], spot{int(h.File), h.Chunk}
	if h.Kind == KindHash {
		return r.compare(f, at, Hash(payload))
	}
	if !r.busy {
		if f.settled != nil || f.got.have.has(h.Chunk) || r.bad[at] >= tries {
			return fault("chunk %d of file %d comes again", h.Chunk, h.File)
		}
		r.busy, r.at, r.offset, r.sum = true, at, 0, sha256.New()
	}
	if r.at != at || int(h.Offset) != r.offset || r.offset+len(payload) > f.ChunkLength(h.Chunk) {
		return fault("data out of order: chunk %d of file %d at %d", h.Chunk, h.File, h.Offset)
	}
	_, _ = r.sum.Write(payload) // never fails
	r.do(Write{File: at.file, At: int64(h.Chunk)*ChunkSize + int64(r.offset), Data: payload})
	r.offset += len(payload)
	return nil
}

// compare ends a chunk.
func (r *Receiver) compare(f *incoming, at spot, want Hash) error {
	if !r.busy || r.at != at || r.offset != f.ChunkLength(at.chunk) {
		return fault("a hash that does not end its chunk")
	}
	r.busy = false
	if got := Hash(r.sum.Sum(nil)); got == want {
		delete(r.bad, at)
		f.got.set(at.chunk, got)
		r.do(Store{File: at.file, Chunk: at.chunk, Hash: got})
		return nil
	}
	if r.bad[at]++; r.bad[at] >= tries {
		r.cancel(Corrupt, fmt.Errorf("transfer: chunk %d of %q came %d times with a wrong hash", at.chunk, f.Path, tries))
		return nil
	}
	if len(r.bad) > maxBad {
		return fault("too many chunks with wrong hashes")
	}
	r.say(&message{Type: typeAgain, place: at.place()})
	return nil
}

func (s spot) place() place { return at(s.file, s.chunk) }

// Stored tells the sender that a chunk is safe.
func (r *Receiver) Stored(file int, chunk uint32) {
	if r.over {
		return
	}
	r.files[file].stored.add(chunk)
	r.say(&message{Type: typeHave, place: at(file, chunk)})
	r.close(file)
}

func (r *Receiver) done(m *message) error {
	if !r.accepted || m.File == nil || int64(*m.File) >= int64(len(r.files)) || r.files[*m.File].root != "" {
		return fault("an end of a file that was not asked for")
	}
	if _, err := ParseHash(m.Hash); err != nil {
		return fault("%q is no hash", m.Hash)
	}
	r.files[*m.File].root = m.Hash
	r.close(int(*m.File))
	return nil
}

// close finishes a file when all of it is stored and the sender said its root.
func (r *Receiver) close(file int) {
	f := &r.files[file]
	switch {
	case f.root == "" || f.closing:
		return
	case f.settled != nil && f.settled.root.String() == f.root:
		f.closing = true
		r.Finished(file)
		return
	case f.settled != nil:
		r.cancel(Corrupt, fmt.Errorf("transfer: %q arrived as %s and is now said to be %s", f.Path, f.settled.root, f.root))
		return
	case f.stored.count() != f.Chunks():
		return
	}
	root := f.got.root(f.File)
	if root.String() != f.root {
		r.cancel(Corrupt, fmt.Errorf("transfer: %q arrived as %s and was sent as %s", f.Path, root, f.root))
		return
	}
	f.closing = true
	r.do(Finish{File: file, Root: root, Digest: f.got.digest(f.got.have)})
}

// Finished tells the sender that a file has its place.
func (r *Receiver) Finished(file int) {
	f := &r.files[file]
	if r.over || f.finished {
		return
	}
	f.finished = true
	r.say(&message{Type: typeVerified, place: in(file), Hash: f.root})
	f.got = hashes{} // what is finished needs no memory
	if r.left--; r.left == 0 {
		r.end(Done{})
	}
}
