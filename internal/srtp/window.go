package srtp

const (
	windowWords = 16
	// windowSize is how far behind a source's newest packet another may be: the ring without the word that is being filled.
	// RFC 3711 §3.3.2 wants 64 at least; at 20 Mbit/s it is a third of a second.
	windowSize = (windowWords - 1) * 64
)

// window remembers which packets of one source there were (RFC 3711 §3.3.2). The zero value remembers none.
type window struct {
	next   uint64 // the highest index so far plus one, 0 before the first packet
	bits   [windowWords]uint64
	missed uint32 // packets in a row that did not authenticate or were too old
}

// guess returns the index that a packet with the sequence number has most likely (RFC 3711 §3.3.1): the one nearest to the
// newest. It is negative when that lies before the beginning.
func (w *window) guess(seq uint16) int64 {
	if w.next == 0 {
		return int64(seq)
	}
	newest := w.next - 1
	return int64(newest) + int64(int16(seq-uint16(newest)))
}

// old reports whether the packet is so far behind the newest that nobody knows whether it was there.
func (w *window) old(index int64) bool {
	return index < 0 || uint64(index) < w.next && w.next-1-uint64(index) >= windowSize
}

// fresh reports whether the packet was not there yet and is not too old to know.
func (w *window) fresh(index uint64) bool {
	if index >= w.next {
		return true
	}
	return !w.old(int64(index)) && w.bits[index/64%windowWords]>>(index%64)&1 == 0
}

// mark remembers a fresh packet.
func (w *window) mark(index uint64) {
	if index >= w.next {
		if w.next > 0 {
			first, last := (w.next-1)/64+1, index/64
			if last >= first+windowWords {
				first = last - windowWords + 1
			}
			for i := first; i <= last; i++ {
				w.bits[i%windowWords] = 0
			}
		}
		w.next = index + 1
	}
	w.bits[index/64%windowWords] |= 1 << (index % 64)
}

// sources holds the windows by SSRC. Most packets come in runs of one source, so the last one is looked at first.
type sources struct {
	all  map[uint32]*window
	last *window
	ssrc uint32 // of last
}

// find returns the source's window; nil when it is unknown.
func (s *sources) find(ssrc uint32) *window {
	if s.last != nil && s.ssrc == ssrc {
		return s.last
	}
	w := s.all[ssrc]
	if w != nil {
		s.last, s.ssrc = w, ssrc
	}
	return w
}

func (s *sources) full() bool { return len(s.all) >= MaxSources }

// add makes the window of a source that authenticated.
func (s *sources) add(ssrc uint32) *window {
	if s.all == nil {
		s.all = make(map[uint32]*window)
	}
	w := new(window)
	s.all[ssrc] = w
	s.last, s.ssrc = w, ssrc
	return w
}

func (s *sources) forget(ssrc uint32) {
	delete(s.all, ssrc)
	if s.ssrc == ssrc {
		s.last = nil
	}
}
