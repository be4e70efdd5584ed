package sfu

// aim is which layers are forwarded.
type aim struct {
	spatial, temporal uint8
	target            int // by the dependency descriptor; -1 before the first
}

// numbers is how the numbers of a stream become those of the place.
type numbers struct {
	top     int64 // the highest number out
	by      shift // what the next number is changed by
	mapping       // of this era
	before  mapping
	eras    [mostEras]era
	history []entry
	begun   bool
	stamp   uint32 // the highest timestamp out
	at      int64  // when the packet came that had it
	frame   uint16 // the highest frame number out
	topPic  uint16 // and picture id
	topTL0  uint8
}

// mapping is how the numbers of one era are changed. That of the era before is kept for what is late.
type mapping struct {
	stream  *stream
	last    int64 // the highest number in
	shifts  [24]shift
	shifted int // how many there have been
	era     uint8
	layers  bool // whether some may be left out
	now     aim  // what is forwarded,
	then    aim  // and what was until number from
	from    int64
}

// shift is what numbers are changed by, from one number on.
type shift struct {
	from, offset int64
	picture      uint16
	tl0          uint8
}

// era is a time in which one stream was forwarded without interruption.
type era struct {
	stream *stream
	stamp  uint32 // is added to timestamps
	frame  uint16 // is added to frame numbers of the dependency descriptor
	mask   uint32 // of the decode targets that are forwarded
}

// entry is what a place remembers of a packet: 8 bytes.
type entry struct {
	in      uint16 // its number in the stream; of padding, see padded
	at      uint16 // when it was last sent, in ms
	picture uint16 // is added to the picture id; the highest bit is the marker
	tl0     uint8  // is added to TL0
	era     uint8
}

const markerBit = 1 << 15

// raise makes out the highest number, if it is; those below it are not known yet.
func (n *numbers) raise(out int64) {
	for seq := max(n.top+1, out-int64(len(n.history))+1); seq <= out && n.history != nil; seq++ {
		n.history[seq&int64(len(n.history)-1)] = entry{era: noEra}
	}
	n.top = max(n.top, out)
}

// skip leaves number seq out: those after it move up.
func (n *numbers) skip(seq int64) {
	n.by.offset++
	n.shift(seq)
}

// shift notes that numbers after seq are changed in another way.
func (n *numbers) shift(seq int64) {
	last := &n.shifts[(n.shifted-1)%len(n.shifts)]
	n.by.from = seq + 1
	if last.from == seq && n.shifted > 1 {
		*last = n.by
		return
	}
	n.shifts[n.shifted%len(n.shifts)] = n.by
	n.shifted++
}
