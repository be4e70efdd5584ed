package rtp

import "encoding/binary"

// Descriptor is what a dependency descriptor says of the frame that a packet is a part of.
type Descriptor struct {
	// Structure is what the descriptor refers to. It belongs to the Dependency and is valid until the next structure comes.
	Structure *Structure
	// Start and End say that the frame begins or ends in this packet.
	Start, End bool
	// Attached says that the descriptor brought its structure: a decoder can begin here.
	Attached bool
	// HasActive says that Active came with this packet.
	HasActive bool
	// Number counts frames, all layers alike.
	Number uint16
	// Template is the id as it stands in the descriptor.
	Template          uint8
	Spatial, Temporal uint8
	// References is how many entries of Differences count.
	References uint8
	// Active has a bit for each decode target that is being made; all, until the sender says otherwise.
	Active      uint32
	Indications Indications
	// Differences are the numbers of frames back to those that this one needs, 1 to 4096.
	Differences [MaxReferences]uint16
	// Chains are, for each chain of the structure, the numbers of frames back to the last one of the chain, 0 for none.
	Chains [MaxTargets]uint8
	// activeAt and used are where the mask stands or would stand, and where the descriptor ends, in bits.
	activeAt, used int
}

// Key says that the frame needs no other and brings the structure: the beginning of a coded video sequence.
func (d *Descriptor) Key() bool { return d.Attached && d.References == 0 && d.Spatial == 0 }

// mandatoryBits is the length of what every packet carries: two flags, the template id and the frame number.
const mandatoryBits = 24

// Dependency reads the dependency descriptors of one stream (one SSRC). It remembers the last structure and the one before, so
// that packets that come late find theirs; each takes about 4 kB. The zero value is ready.
type Dependency struct {
	slots [2]slot
	// now is which of the slots is the newer one.
	now int
	// scratch holds a structure until it is read to its end.
	scratch Structure
}

type slot struct {
	structure Structure
	since     uint16 // the number of the frame that brought it
	active    uint32
	activeOf  uint16 // the number of the frame that said so
	valid     bool
}

// Read reads a descriptor into d. ErrStructure says that the structure is missing: a key frame is to be asked for unless one is
// on its way. A descriptor with a fault changes nothing.
func (y *Dependency) Read(value []byte, d *Descriptor) error {
	*d = Descriptor{}
	if len(value) < 3 {
		return ErrShort
	}
	d.Start, d.End, d.Template = value[0]&0x80 != 0, value[0]&0x40 != 0, value[0]&0x3F
	d.Number = binary.BigEndian.Uint16(value[1:])
	r := bitReader{b: value, at: mandatoryBits}
	var custom struct{ indications, differences, chains bool }
	if len(value) > 3 {
		d.Attached, d.HasActive = r.flag(), r.flag()
		custom.indications, custom.differences, custom.chains = r.flag(), r.flag(), r.flag()
	}
	var s *Structure
	at := -1
	if d.Attached {
		y.scratch = Structure{}
		if err := y.scratch.read(&r); err != nil {
			return err
		}
		s = &y.scratch
		d.Active = s.All()
	} else {
		if at = y.find(d.Number); at < 0 {
			return ErrStructure
		}
		s = &y.slots[at].structure
		d.Active = y.slots[at].active
	}
	d.activeAt = r.at
	if d.HasActive {
		d.Active = r.read(int(s.Targets))
	}
	index := (d.Template + MaxTemplates - s.Offset) % MaxTemplates
	if index >= s.Templates {
		return ErrStructure
	}
	d.readFrame(&r, s, &s.Template[index], custom.indications, custom.differences, custom.chains)
	if r.short {
		return ErrShort
	}
	d.used = r.at
	y.note(d, at)
	return nil
}

// readFrame reads frame_dependency_definition of appendix A.8.2.
func (d *Descriptor) readFrame(r *bitReader, s *Structure, t *Template, indications, differences, chains bool) {
	d.Spatial, d.Temporal = t.Spatial, t.Temporal
	d.Indications = t.Indications
	if indications {
		d.Indications = 0
		for target := range int(s.Targets) {
			d.Indications.set(target, Indication(r.read(2)))
		}
	}
	if differences {
		for n := int(r.read(2)); n != 0; n = int(r.read(2)) {
			if v := uint16(r.read(4*n)) + 1; d.References < MaxReferences {
				d.Differences[d.References] = v
				d.References++
			}
		}
	} else {
		d.References = t.References
		for i, v := range t.Differences {
			d.Differences[i] = uint16(v)
		}
	}
	if !chains {
		d.Chains = t.Chains
		return
	}
	for chain := range s.Chains {
		d.Chains[chain] = uint8(r.read(8))
	}
}

// find returns the slot that a frame of this number belongs to, -1 when there is none.
func (y *Dependency) find(number uint16) int {
	for _, at := range [2]int{y.now, 1 - y.now} {
		if s := &y.slots[at]; s.valid && !Before(number, s.since) {
			return at
		}
	}
	return -1
}

// note keeps what a sound descriptor brought: its structure, if it is newer than the oldest that is kept, and the mask. at is
// the slot that it was read by, -1 for one that brings its own.
func (y *Dependency) note(d *Descriptor, at int) {
	if d.Attached {
		d.Structure = &y.scratch
		if at = y.place(d.Number); at < 0 {
			return
		}
		y.slots[at] = slot{structure: y.scratch, since: d.Number, active: d.Active, activeOf: d.Number, valid: true}
	} else {
		if s := &y.slots[at]; d.HasActive && !Before(d.Number, s.activeOf) {
			s.active, s.activeOf = d.Active, d.Number
		}
		if at == y.now {
			y.follow(d.Number)
		}
	}
	d.Structure = &y.slots[at].structure
}

// window is how far behind the newest frame the numbers of slots may fall: further, and they would soon seem to be ahead.
const window = 1 << 14

// follow draws what the newer slot remembers along with the frames, so that a sequence without key frames may last for ever. By
// then no packet of the older slot is on its way.
func (y *Dependency) follow(number uint16) {
	s := &y.slots[y.now]
	if number-s.since <= window {
		return
	}
	s.since = number - window
	if Before(s.activeOf, s.since) {
		s.activeOf = s.since
	}
	y.slots[1-y.now].valid = false
}

// place returns the slot for a structure that came with the frame of this number, -1 when both that are kept are newer.
func (y *Dependency) place(number uint16) int {
	newer, older := &y.slots[y.now], &y.slots[1-y.now]
	switch {
	case !newer.valid || number == newer.since:
		return y.now
	case Before(newer.since, number):
		y.now = 1 - y.now
		return y.now
	case !older.valid || !Before(number, older.since):
		return 1 - y.now
	}
	return -1
}

// AppendDescriptor appends the descriptor value, which d was read from, with another mask of active decode targets: it tells a
// receiver which targets it still gets. What the mask says is to be said with every structure and repeated until one packet that
// says it has arrived.
func AppendDescriptor(dst []byte, value []byte, d *Descriptor, active uint32) []byte {
	w := bitWriter{buf: dst}
	w.copy(value, 0, mandatoryBits)
	if d.used == mandatoryBits { // no extended fields: now there are
		w.write(0b01000, 5)
		w.write(active, int(d.Structure.Targets))
		return w.buf
	}
	w.copy(value, mandatoryBits, mandatoryBits+1)
	w.write(1, 1)
	w.copy(value, mandatoryBits+2, d.activeAt)
	w.write(active, int(d.Structure.Targets))
	from := d.activeAt
	if d.HasActive {
		from += int(d.Structure.Targets)
	}
	w.copy(value, from, d.used)
	return w.buf
}
