package sfu

import "github.com/parley-rtc/parley/internal/rtp"

// read finds out which part of which frame a packet is. A payload that cannot be read is an error; a descriptor that cannot be
// read yet only means that the payload has to tell.
func (s *stream) read(k *slot, pkt []byte) error {
	payload := pkt[k.header.Size:k.header.End]
	if len(payload) == 0 {
		k.marks = empty
		return nil
	}
	if s.source.kind == Audio {
		k.marks = starts | ends
		return nil
	}
	f, err := rtp.ReadFrame(k.codec, payload, k.header.Marker)
	if err != nil {
		return err
	}
	k.spatial, k.temporal = f.Spatial&3, f.Temporal&3
	k.mark(f.Start, starts)
	k.mark(f.End, ends)
	k.mark(f.Switch, switches)
	k.mark(f.Layered, layered)
	if f.Key && f.Start && k.spatial == 0 && s.first(k, payload) {
		k.marks |= begins
	}
	s.readPicture(k, payload)
	if value := k.values.Of(pkt, rtp.DependencyDescriptor); value != nil {
		s.readDescriptor(k, value)
	}
	return nil
}

func (k *slot) mark(is bool, m marks) {
	if is {
		k.marks |= m
	}
}

// first tells the first packet of a key frame from others that say that they begin it. Of H.264 and AV1 several do, and the
// timestamp tells; when the packet before it is missing, H.264 begins with its parameters.
func (s *stream) first(k *slot, payload []byte) bool {
	switch k.codec {
	case rtp.H264, rtp.AV1:
	default:
		return true
	}
	if before := s.ring.get(k.seq - 1); before != nil && !before.is(empty) {
		return before.header.Timestamp != k.header.Timestamp
	}
	if k.codec == rtp.AV1 {
		return true
	}
	d, err := rtp.ReadH264(payload)
	return err == nil && d.SPS
}

// readPicture notes the numbers that receivers want without holes, and the size of a key frame.
func (s *stream) readPicture(k *slot, payload []byte) {
	switch k.codec {
	case rtp.VP8:
		d, _ := rtp.ReadVP8(payload)
		k.picture, k.pictureBits, k.tl0, k.hasTL0 = d.PictureID, d.PictureBits, d.TL0, d.HasTL0
		if d.Key && d.Width > 0 {
			s.layers.width, s.layers.height = int(d.Width), int(d.Height)
		}
	case rtp.VP9:
		d, _ := rtp.ReadVP9(payload)
		k.picture, k.pictureBits, k.tl0 = d.PictureID, d.PictureBits, d.TL0
		k.hasTL0 = d.HasLayers && !d.Flexible
		if d.HasSizes && d.Layers > 0 {
			s.layers.width, s.layers.height = int(d.Sizes[d.Layers-1].Width), int(d.Sizes[d.Layers-1].Height)
		}
	default:
	}
}

// readDescriptor takes what the dependency descriptor says, which knows better than the payload.
func (s *stream) readDescriptor(k *slot, value []byte) {
	l := &s.layers
	if l.dependency == nil {
		l.dependency = &rtp.Dependency{}
	}
	d := &l.about
	if err := l.dependency.Read(value, d); err != nil {
		return
	}
	l.aboutSeq = k.seq
	k.marks = k.marks&^(starts|ends|switches|layered|begins) | described
	k.mark(d.Start, starts)
	k.mark(d.End, ends)
	k.mark(d.Attached, attached)
	k.mark(d.Start && d.Key(), begins)
	k.number, k.indications = d.Number, d.Indications
	k.spatial, k.temporal = d.Spatial&3, d.Temporal&7
	if k.seq > s.newest || l.structure == nil {
		if l.targets != d.Structure.Targets {
			l.targets = d.Structure.Targets
			l.bytes, l.rates, l.measured, l.since = [maxTargets]uint32{}, [maxTargets]int{}, false, 0
		}
		l.structure, l.active = d.Structure, d.Active
		l.spatial, l.temporal = 0, 0
		for i, t := range d.Structure.Target[:d.Structure.Targets] {
			if d.Active>>i&1 != 0 {
				l.spatial, l.temporal = max(l.spatial, t.Spatial), max(l.temporal, t.Temporal)
			}
		}
		if d.Structure.HasSizes && d.Structure.Layers > 0 {
			size := d.Structure.Sizes[min(d.Structure.Layers, 4)-1]
			l.width, l.height = int(size.Width), int(size.Height)
		}
	}
}
