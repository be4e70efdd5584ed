package sfu

import "github.com/parley-rtc/parley/internal/rtp"

// keeps decides about the next packet in order. Layers change only where a frame begins, and only where that leaves nothing that
// cannot be decoded.
func (pl *place) keeps(t int64, s *stream, k *slot, live bool) bool {
	if k.is(empty) || pl.formats[k.header.PayloadType] == 0 {
		return false
	}
	if s.source.kind != Video || !pl.numbers.layers {
		return true
	}
	if k.is(described) {
		if k.is(starts) && (live || k.is(attached)) {
			pl.retarget(t, s, k)
		}
		keep := pl.numbers.covers(k)
		if keep && k.is(starts) {
			pl.pick.forwarded(k.number)
		}
		return keep
	}
	if !k.is(layered) {
		return true
	}
	if k.is(starts) {
		pl.relayer(t, k)
	}
	keep := pl.numbers.covers(k)
	if !keep && k.codec == rtp.VP8 && k.pictureBits != 0 && (!pl.pick.hasPicture || pl.pick.picture != k.picture) {
		pl.pick.picture, pl.pick.hasPicture = k.picture, true
		pl.numbers.by.picture = (pl.numbers.by.picture - 1) &^ markerBit // skip notes it
	}
	return keep
}

// covers reports whether the layers that are forwarded include the packet's.
func (m *mapping) covers(k *slot) bool {
	a := m.at(k)
	switch {
	case !m.layers:
		return true
	case k.is(described):
		return a.target < 0 || k.indications.Of(a.target) != rtp.NotPresent
	case k.is(layered):
		return k.spatial <= a.spatial && k.temporal <= a.temporal
	}
	return true
}

// at is what was aimed at when the packet was sent: one that is late belongs to a frame that others have decided about.
func (m *mapping) at(k *slot) *aim {
	if k.seq < m.from {
		return &m.then
	}
	return &m.now
}

// aimAt changes what is forwarded, from the frame on that begins with the packet.
func (pl *place) aimAt(t int64, k *slot, a aim) {
	if m := &pl.numbers.mapping; a != m.now {
		m.then, m.now, m.from, pl.pick.changed = m.now, a, k.seq, t
	}
}

// relayer follows what is wanted, where the payload tells layers: down at any frame, up in time where the encoder says so, up in
// space at key frames.
func (pl *place) relayer(t int64, k *slot) {
	p := &pl.pick
	a := pl.numbers.mapping.now
	switch {
	case k.is(begins):
		a.spatial, a.temporal = p.spatial, p.temporal
	default:
		a.spatial, a.temporal = min(a.spatial, p.spatial), min(a.temporal, p.temporal)
		if k.is(switches) && k.temporal > a.temporal && k.temporal <= p.temporal {
			a.temporal = k.temporal
		}
	}
	pl.aimAt(t, k, a)
}

// retarget follows what is wanted, where a dependency descriptor tells layers. The frame is the one that was read last.
func (pl *place) retarget(t int64, s *stream, k *slot) {
	p, l, now := &pl.pick, &s.layers, &pl.numbers.mapping.now
	if l.structure == nil {
		return
	}
	want := best(l.structure, l.active, p.spatial, p.temporal)
	if want < 0 || want == now.target && !k.is(attached) {
		return
	}
	if now.target >= 0 && !k.is(begins) && !includes(l.structure, now.target, want) &&
		(k.indications.Of(want) != rtp.Switch || !p.decodable(&l.about, k)) {
		return
	}
	target := l.structure.Target[want]
	pl.aimAt(t, k, aim{target.Spatial, target.Temporal, want})
	pl.numbers.eras[pl.numbers.era].mask = l.structure.Mask(target.Spatial, target.Temporal)
}

// best is the highest decode target that is being made and not above the layers.
func best(st *rtp.Structure, active uint32, spatial, temporal uint8) int {
	found, lowest := -1, -1
	for i, t := range st.Target[:st.Targets] {
		if active>>i&1 == 0 {
			continue
		}
		if lowest < 0 || rank(t) < rank(st.Target[lowest]) {
			lowest = i
		}
		if t.Spatial <= spatial && t.Temporal <= temporal && (found < 0 || rank(t) > rank(st.Target[found])) {
			found = i
		}
	}
	if found < 0 {
		return lowest
	}
	return found
}

func rank(t rtp.Target) int { return int(t.Spatial)<<3 | int(t.Temporal) }

// includes reports whether who has decoded one target has all frames of the other: then one may change over at any frame.
func includes(st *rtp.Structure, has, wants int) bool {
	if has >= int(st.Targets) {
		return false
	}
	for _, t := range st.Template[:st.Templates] {
		if t.Indications.Of(wants) != rtp.NotPresent && t.Indications.Of(has) == rtp.NotPresent {
			return false
		}
	}
	return true
}

// forwarded notes that a frame leaves.
func (p *pick) forwarded(number uint16) {
	if step := number - p.frame; step < 1<<15 {
		if step > 255 {
			p.frames = [4]uint64{}
		} else {
			for n := p.frame + 1; n != number+1 && step > 0; n++ {
				p.frames[n>>6&3] &^= 1 << (n & 63)
			}
		}
		p.frame = number
	}
	p.frames[number>>6&3] |= 1 << (number & 63)
}

// decodable reports whether all frames that this one needs have left.
func (p *pick) decodable(d *rtp.Descriptor, k *slot) bool {
	if d.Number != k.number {
		return false
	}
	for _, back := range d.Differences[:d.References] {
		n := k.number - back
		if back > 255 || rtp.Before(p.frame, n) || p.frame-n > 255 || p.frames[n>>6&3]>>(n&63)&1 == 0 {
			return false
		}
	}
	return true
}

// marks says whether the packet is the last of its picture for this receiver: the last of the highest layer that they get.
func (m *mapping) marks(s *stream, k *slot) bool {
	if k.header.Marker || s.source.kind != Video || !k.is(ends) {
		return k.header.Marker
	}
	a := m.at(k)
	if k.is(described) {
		return a.target >= 0 && m.layers && s.layers.spatial > k.spatial && k.spatial == a.spatial
	}
	return k.is(layered) && s.layers.spatial > 0 && k.spatial == a.spatial
}
