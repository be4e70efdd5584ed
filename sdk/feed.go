package parley

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/internal/seam"
)

// arrived begins a track when its first packet came, or goes on with it when it comes by another link.
func (s *state) arrived(l *link, remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	source, ok := s.sourceOf(l, receiver)
	if !ok || kindOf(source) != remote.Kind() {
		s.trouble(errors.New("parley: media arrived in a section that carries nothing; it is dropped"))
		return
	}
	t := s.track(l.peer, source, remote.Codec())
	from := s.feed(seam.Direct, l.pc, remote, receiver, l.pulse)
	strain := s.strains(l.peer, remote.Kind())
	begins := func(s *state) {
		if l.gone {
			return
		}
		t.begun = true
		s.reportFirst(l, source)
		if main := s.links[l.peer]; main != nil {
			s.announce(main)
		}
	}
	if strain == nil {
		begins(s)
	}
	s.running.Go(func() {
		t.receive(from, strain, func() { s.post(begins) }) // of a stranger nothing begins
	})
	s.running.Go(func() { drain(receiver, l.pulse) })
}

// track returns the track of a session's source, and makes it if there is none with that codec.
func (s *state) track(session string, source Source, codec webrtc.RTPCodecParameters) *Track {
	if t := s.tracks[session][source]; t != nil {
		if t.Codec == codec.MimeType {
			return t
		}
		t.end(errTrackEnded)
	}
	video := kindOf(source) == webrtc.RTPCodecTypeVideo
	t := &Track{
		Source: source, Codec: codec.MimeType, packets: make(chan *rtp.Packet, ring), over: make(chan struct{}),
		meter: meter{clock: float64(codec.ClockRate), video: video}, seam: seam.New[arrival](max(1, codec.ClockRate), video),
	}
	if !video && s.options.Hear {
		ear, err := newEar()
		if err != nil {
			s.trouble(err)
		}
		t.ear = ear
	}
	if s.tracks[session] == nil {
		s.tracks[session] = make(map[Source]*Track)
	}
	s.tracks[session][source] = t
	return t
}

// forgetTracks ends the tracks of a session.
func (s *state) forgetTracks(session string) {
	for _, t := range s.tracks[session] {
		t.end(errTrackEnded)
	}
	delete(s.tracks, session)
}

// sourceOf finds what a receiver's section carries, by the map of the description, never by its place.
func (s *state) sourceOf(l *link, receiver *webrtc.RTPReceiver) (Source, bool) {
	for _, t := range l.pc.GetTransceivers() {
		if t.Receiver() == receiver {
			source, ok := l.sources[t.Mid()]
			return source, ok && s.shows[source] != nil
		}
	}
	return "", false
}

// announce tells of the tracks of a link as soon as it is known whose they are.
func (s *state) announce(l *link) {
	seat := s.holder(l.peer)
	if seat == nil || !l.bond.open {
		return
	}
	for _, source := range Sources() {
		if t := s.tracks[l.peer][source]; t != nil && t.begun {
			s.announceTrack(t, seat)
		}
	}
}

// announceTrack tells of a track, once.
func (s *state) announceTrack(t *Track, seat *signal.Seat) {
	if t.known {
		return
	}
	t.mu.Lock()
	t.seat, t.name = seat.ID, seat.Name
	t.mu.Unlock()
	t.known = true
	s.emit(TrackAdded{Track: t})
}

// feed describes the stream that a receiver gets.
func (s *state) feed(way int, pc *webrtc.PeerConnection, remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver, pulse *pulse) *feed {
	s.feeds++
	from := &feed{name: s.feeds, way: way, pc: pc, remote: remote, pulse: pulse}
	for _, x := range receiver.GetParameters().HeaderExtensions {
		switch x.URI {
		case levelURI:
			from.level = uint8(x.ID) // 1…14 by RFC 8285
		case captureURI:
			from.capture = uint8(x.ID)
		}
	}
	return from
}

// receive reads a stream until its end. In an encrypted room strain opens it, and opened is called after the first packet.
func (t *Track) receive(from *feed, strain *strainer, opened func()) {
	defer t.leaves(from)
	defer strain.end()
	told := false
	for {
		p, _, err := from.remote.ReadRTP()
		if err != nil {
			return
		}
		from.pulse.hear()
		if strain == nil {
			t.take(time.Now(), p, from)
			continue
		}
		ready, _ := strain.take(p)
		for _, p := range ready {
			t.take(time.Now(), p, from)
		}
		if len(ready) > 0 && !told {
			told = true
			opened()
		}
	}
}

// take puts a packet in its place, and hands out what is due.
func (t *Track) take(now time.Time, p *rtp.Packet, from *feed) {
	x := seam.Packet[arrival]{
		Feed: from.name, Way: from.way, Sequence: p.SequenceNumber, Timestamp: p.Timestamp, Value: arrival{p, from},
	}
	if from.capture != 0 {
		if b := p.GetExtension(from.capture); len(b) >= 8 {
			x.Captured = binary.BigEndian.Uint64(b)
		}
	}
	t.mu.Lock()
	x.Key = t.meter.video && beginsKey(p.Payload)
	plea := t.hand(now, t.seam.Take(now, x))
	if x.Key || !t.meter.video && t.seam.Whole() { // what waits is missing something that the other way may bring yet
		t.ways[from.way] = now
	}
	t.attend(now)
	t.mu.Unlock()
	if plea {
		_ = t.Refresh() // the link is going down; its end is reported elsewhere
	}
}

// leaves is the end of a stream, or of its part in the track.
func (t *Track) leaves(from *feed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.hand(now, t.seam.End(now, from.name))
	t.attend(now)
}

// attend sees to what waits in the seam.
func (t *Track) attend(now time.Time) {
	at := t.seam.Deadline()
	switch {
	case at.IsZero():
	case t.timer == nil:
		t.timer = time.AfterFunc(at.Sub(now), t.flush)
	default:
		t.timer.Reset(at.Sub(now))
	}
}

func (t *Track) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.hand(now, t.seam.Flush(now))
	t.attend(now)
}

// hand counts packets and puts them where their reader finds them. It reports whether a key frame is to be asked for.
func (t *Track) hand(now time.Time, list []seam.Packet[arrival]) (plea bool) {
	for _, x := range list {
		p := x.Value.packet
		if !t.started {
			t.started, t.ssrc = true, p.SSRC
		}
		p.SSRC, p.SequenceNumber, p.Timestamp = t.ssrc, x.Sequence, x.Timestamp
		if t.count(now, p, x.Value.from) && now.Sub(t.pleaded) >= pleaEach {
			t.pleaded, plea = now, true
		}
		for sent := false; !sent; {
			select {
			case t.packets <- p:
				sent = true
			default:
				select {
				case <-t.packets:
					t.meter.total.Dropped++
				default:
				}
			}
		}
	}
	return plea
}

// count meters p and reports whether a key frame is needed: there was none yet, or packets are missing since the last.
func (t *Track) count(now time.Time, p *rtp.Packet, from *feed) bool {
	moved := t.from != nil && t.from.way != from.way
	t.from, t.meter.levelID = from, from.level
	keys := t.meter.total.KeyFrames
	t.meter.packet(now, p)
	total := &t.meter.total
	if t.ear != nil && t.ear.hear(p.Payload) == nil && t.ear.blocks > 0 {
		total.Level, total.Leveled, total.Tone = t.ear.level, true, t.ear.tone
	}
	if !t.meter.video {
		return false
	}
	if total.KeyFrames > keys {
		t.lost, moved = total.Lost, false // whatever was missing, from here it decodes
	}
	if moved { // the middle of another encoding
		t.lost = -1 << 62
	}
	return total.KeyFrames == 0 || total.Lost > t.lost
}

// beginsKey reports whether a packet begins a VP8 key frame (RFC 7741 §4.2, RFC 6386 §9.1).
func beginsKey(payload []byte) bool {
	var part codecs.VP8Packet
	_, err := part.Unmarshal(payload)
	return err == nil && part.S == 1 && part.PID == 0 && len(part.Payload) > 0 && part.Payload[0]&1 == 0
}

// came reports whether something that can be played came by a way since a time.
func (t *Track) came(way int, since time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.ways[way].IsZero() && !t.ways[way].Before(since)
}

// drain reads the sender's reports, which is what makes the transport handle them.
func drain(receiver *webrtc.RTPReceiver, pulse *pulse) {
	buf := make([]byte, 1500)
	for {
		if _, _, err := receiver.Read(buf); err != nil {
			return
		}
		pulse.hear()
	}
}
