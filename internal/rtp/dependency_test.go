package rtp

import (
	"bytes"
	"errors"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// The writers below are made from the syntax tables of appendix A.8.2 of the AV1 RTP specification, and share nothing with the
// readers but the bit writer.

// even writes ns(n).
func (w *bitWriter) even(v, n uint32) {
	k := bits.Len32(n)
	m := uint32(1)<<k - n
	if v < m {
		w.write(v, k-1)
		return
	}
	w.write((v+m)>>1, k-1)
	w.write((v+m)&1, 1)
}

func (w *bitWriter) flag(v bool) {
	if v {
		w.write(1, 1)
	} else {
		w.write(0, 1)
	}
}

// structure writes template_dependency_structure.
func (w *bitWriter) structure(s *Structure) {
	w.write(uint32(s.Offset), 6)
	w.write(uint32(s.Targets-1), 5)
	for i := range s.Templates {
		switch {
		case i+1 == s.Templates:
			w.write(3, 2)
		case s.Template[i+1].Spatial != s.Template[i].Spatial:
			w.write(2, 2)
		case s.Template[i+1].Temporal != s.Template[i].Temporal:
			w.write(1, 2)
		default:
			w.write(0, 2)
		}
	}
	for i := range s.Templates {
		for target := range int(s.Targets) {
			w.write(uint32(s.Template[i].Indications.Of(target)), 2)
		}
	}
	for i := range s.Templates {
		for _, difference := range s.Template[i].Differences[:s.Template[i].References] {
			w.write(1, 1)
			w.write(uint32(difference-1), 4)
		}
		w.write(0, 1)
	}
	w.even(uint32(s.Chains), uint32(s.Targets)+1)
	if s.Chains > 0 {
		for i := range s.Targets {
			w.even(uint32(s.Target[i].Chain), uint32(s.Chains))
		}
		for i := range s.Templates {
			for chain := range s.Chains {
				w.write(uint32(s.Template[i].Chains[chain]), 4)
			}
		}
	}
	w.flag(s.HasSizes)
	if s.HasSizes {
		for i := range s.Layers {
			w.write(uint32(s.Sizes[i].Width-1), 16)
			w.write(uint32(s.Sizes[i].Height-1), 16)
		}
	}
}

// anyStructure makes up a structure that can be written.
func anyStructure(r *rand.Rand) Structure {
	s := Structure{Offset: uint8(r.IntN(64)), Targets: uint8(1 + r.IntN(MaxTargets)), HasSizes: r.IntN(2) == 0, Layers: 1}
	s.Chains = uint8(r.IntN(int(s.Targets) + 1))
	spatial, temporal := uint8(0), uint8(0)
	for range 1 + r.IntN(20) {
		t := &s.Template[s.Templates]
		t.Spatial, t.Temporal = spatial, temporal
		for target := range int(s.Targets) {
			t.Indications.set(target, Indication(r.IntN(4)))
		}
		for range r.IntN(MaxReferences + 1) {
			t.refer(uint8(1 + r.IntN(16)))
		}
		for chain := range s.Chains {
			t.Chains[chain] = uint8(r.IntN(16))
		}
		s.Templates++
		s.Layers = spatial + 1
		switch r.IntN(4) {
		case 0:
			if spatial < 3 {
				spatial, temporal = spatial+1, 0
			}
		case 1:
			if temporal < 7 {
				temporal++
			}
		}
	}
	for i := range s.Targets {
		if s.Chains > 0 {
			s.Target[i].Chain = uint8(r.IntN(int(s.Chains)))
		}
		for _, t := range s.Template[:s.Templates] {
			if t.Indications.Of(int(i)) != NotPresent {
				s.Target[i].Spatial, s.Target[i].Temporal = max(s.Target[i].Spatial, t.Spatial), max(s.Target[i].Temporal, t.Temporal)
			}
		}
	}
	if s.HasSizes {
		for i := range s.Layers {
			s.Sizes[i].Width, s.Sizes[i].Height = int32(1+r.IntN(65536)), int32(1+r.IntN(65536))
		}
	}
	return s
}

// anyDescriptor makes up a descriptor of a structure, with or without it, and returns what is to be read from it.
func anyDescriptor(r *rand.Rand, s *Structure, number uint16, attach bool) ([]byte, Descriptor) {
	index := uint8(r.IntN(int(s.Templates)))
	t := s.Template[index]
	d := Descriptor{
		Start: r.IntN(2) == 0, End: r.IntN(2) == 0, Attached: attach, Number: number, Template: (index + s.Offset) % MaxTemplates,
		Spatial: t.Spatial, Temporal: t.Temporal, Indications: t.Indications, Chains: t.Chains, References: t.References,
	}
	for i, v := range t.Differences {
		d.Differences[i] = uint16(v)
	}
	var w bitWriter
	w.flag(d.Start)
	w.flag(d.End)
	w.write(uint32(d.Template), 6)
	w.write(uint32(number), 16)
	extended := attach || r.IntN(2) == 0
	if !extended {
		return w.buf, d
	}
	d.HasActive = r.IntN(2) == 0
	indications, differences, chains := r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0
	for _, v := range []bool{attach, d.HasActive, indications, differences, chains} {
		w.flag(v)
	}
	if attach {
		w.structure(s)
		d.Active = s.All()
	}
	if d.HasActive {
		d.Active = r.Uint32() & s.All()
		w.write(d.Active, int(s.Targets))
	}
	if indications {
		d.Indications = 0
		for target := range int(s.Targets) {
			v := Indication(r.IntN(4))
			d.Indications.set(target, v)
			w.write(uint32(v), 2)
		}
	}
	if differences {
		d.References, d.Differences = uint8(r.IntN(MaxReferences+1)), [MaxReferences]uint16{}
		for i := range d.References {
			size := 1 + r.IntN(3)
			d.Differences[i] = uint16(1 + r.IntN(1<<(4*size)))
			w.write(uint32(size), 2)
			w.write(uint32(d.Differences[i]-1), 4*size)
		}
		w.write(0, 2)
	}
	if chains {
		for chain := range s.Chains {
			d.Chains[chain] = uint8(r.IntN(256))
			w.write(uint32(d.Chains[chain]), 8)
		}
	}
	return w.buf, d
}

// Every descriptor that the syntax allows is read as it was written, and with another mask says all else as before.
func TestDependencyRoundTrip(t *testing.T) {
	r := chance(21)
	for range 500 {
		s := anyStructure(r)
		var y Dependency
		number := uint16(r.Uint32())
		active := s.All()
		for i := range 6 {
			value, want := anyDescriptor(r, &s, number+uint16(i), i == 0)
			if want.Attached || want.HasActive {
				active = want.Active
			}
			want.Active = active
			var d Descriptor
			before := y
			if err := y.Read(value, &d); err != nil {
				t.Fatalf("%x: %v", value, err)
			}
			sameDescriptor(t, &d, &want)
			if d.Active != active || d.HasActive != want.HasActive || *d.Structure != s {
				t.Fatalf("%x: mask %b, want %b\n%+v\nwant %+v", value, d.Active, active, *d.Structure, s)
			}
			mask := r.Uint32() & s.All()
			out := AppendDescriptor([]byte{1, 2, 3}, value, &d, mask)
			var again Descriptor
			if err := before.Read(out[3:], &again); err != nil || !bytes.Equal(out[:3], []byte{1, 2, 3}) {
				t.Fatalf("%x became %x: %v", value, out, err)
			}
			sameDescriptor(t, &again, &want)
			if again.Active != mask || !again.HasActive || *again.Structure != s {
				t.Fatalf("%x became %x: mask %b, want %b", value, out, again.Active, mask)
			}
		}
	}
}

// L1T2 of the specification's examples, bit by bit: two decode targets, one chain, three templates.
func TestDependencyVector(t *testing.T) {
	var w bitWriter
	for _, f := range [][2]uint32{
		{1, 1}, {0, 1}, {0, 6}, {0x0102, 16}, // start, end, template, number
		{1, 1}, {0, 4}, // structure, and nothing else
		{0, 6}, {1, 5}, // offset, two targets
		{0, 2}, {1, 2}, {3, 2}, // T0, T0, T1
		{2, 2}, {2, 2}, {3, 2}, {3, 2}, {0, 2}, {1, 2}, // SS RR -D
		{0, 1}, {1, 1}, {1, 4}, {0, 1}, {1, 1}, {0, 4}, {0, 1}, // none; 2; 1
		{2, 2},                         // one chain of at most two: ns(3) writes 1 as 10; which chain protects a target takes no bit
		{0, 4}, {2, 4}, {1, 4}, {0, 1}, // chains; no sizes
	} {
		w.write(f[0], int(f[1]))
	}
	var y Dependency
	var d Descriptor
	if err := y.Read(w.buf, &d); err != nil {
		t.Fatalf("%x: %v", w.buf, err)
	}
	s := d.Structure
	if s.Targets != 2 || s.Templates != 3 || s.Chains != 1 || s.Layers != 1 || s.Target[0].Temporal != 0 || s.Target[1].Temporal != 1 || !d.Key() {
		t.Errorf("%+v", s)
	}
	if s.Template[2].Temporal != 1 || s.Template[2].Indications.Of(0) != NotPresent || s.Template[2].Indications.Of(1) != Discardable || s.Template[1].Chains[0] != 2 {
		t.Errorf("%+v", s.Template[2])
	}
	if s.Mask(0, 0) != 1 || s.Mask(0, 1) != 3 || s.Best(0, 0) != 0 || s.Best(3, 7) != 1 {
		t.Error("targets")
	}
	// The next frame is of the top layer and says so in three bytes.
	if err := y.Read(unhex(t, "c2 0103"), &d); err != nil || d.Temporal != 1 || d.References != 1 || d.Differences[0] != 1 || d.Key() || !d.Start || !d.End {
		t.Errorf("%+v, %v", d, err)
	}
	if got := AppendDescriptor(nil, unhex(t, "c2 0103"), &d, 0b01); !bytes.Equal(got, unhex(t, "c2 0103 42")) { // 01000 01 0
		t.Errorf("%x", got)
	}
}

// Packets that come late find the structure that they were made with; a structure that comes late replaces nothing newer.
func TestDependencyOrder(t *testing.T) {
	r := chance(22)
	small, large, third := anyStructure(r), anyStructure(r), anyStructure(r)
	small.Offset, large.Offset, third.Offset = 0, 20, 40
	var y Dependency
	read := func(s *Structure, number uint16, attach bool, want error) {
		t.Helper()
		value, _ := anyDescriptor(r, s, number, attach)
		var d Descriptor
		err := y.Read(value, &d)
		if !errors.Is(err, want) || err == nil && *d.Structure != *s {
			t.Fatalf("frame %d: %v, want %v", number, err, want)
		}
	}
	read(&small, 65000, false, ErrStructure)
	read(&small, 65000, true, nil)
	read(&small, 65010, false, nil)
	read(&small, 64999, false, ErrStructure)
	read(&large, 100, true, nil) // past the end of the numbers
	read(&large, 101, false, nil)
	read(&small, 99, false, nil)
	read(&small, 65001, false, nil)
	read(&large, 100, true, nil) // again, as in the next packet of the frame
	read(&third, 50, true, nil)  // late, but newer than small
	read(&third, 51, false, nil)
	read(&large, 102, false, nil)
	read(&small, 65001, true, nil) // older than both: good for this packet only
	read(&large, 103, false, nil)
	read(&third, 52, false, nil)
	// A sequence may last: more frames than there are numbers, without another key frame.
	for i := range 20_000 {
		read(&large, uint16(104+11*i), false, nil)
	}
}

// A descriptor with a fault changes nothing, whatever it claims.
func TestDependencyRefuses(t *testing.T) {
	r := chance(23)
	for range 40 {
		s := anyStructure(r)
		value, _ := anyDescriptor(r, &s, 1, true)
		var empty, y Dependency
		var d Descriptor
		for n := range len(value) {
			if err := y.Read(value[:n], &d); err == nil {
				t.Fatalf("read %x of %x", value[:n], value)
			}
			empty.scratch = y.scratch
			if y != empty {
				t.Fatalf("%x left something behind", value[:n])
			}
		}
		if err := y.Read(value, &d); err != nil {
			t.Fatal(err)
		}
		if s.Templates < MaxTemplates {
			unknown := []byte{(s.Offset + s.Templates) % MaxTemplates, 0, 2}
			if err := y.Read(unknown, &d); !errors.Is(err, ErrStructure) {
				t.Fatalf("template %d of %d: %v", unknown[0], s.Templates, err)
			}
		}
	}
	// 65 templates, and a fifth spatial layer.
	for name, next := range map[string]uint32{"templates": 0, "layers": 2, "temporal layers": 1} {
		w := bitWriter{}
		w.write(0, 24)
		w.write(0b10000, 5)
		w.write(0, 11)
		for range 65 {
			w.write(next, 2)
		}
		var y Dependency
		var d Descriptor
		if err := y.Read(append(w.buf, make([]byte, 200)...), &d); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
