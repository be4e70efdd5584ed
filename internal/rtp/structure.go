package rtp

// Bounds of the dependency descriptor (AV1 RTP specification, appendix A.8): 6 bits of template ids, 5 bits of decode targets.
const (
	MaxTemplates = 64
	MaxTargets   = 32
	// MaxReferences is how many frame differences are kept; an encoder has 8 reference buffers. More are passed over.
	MaxReferences = 8
)

// Indication is how a frame stands to a decode target (appendix A.8.1).
type Indication uint8

// The indications.
const (
	NotPresent  Indication = iota // the target does not need it
	Discardable                   // the target shows it, and nothing else of the target needs it
	Switch                        // with it, and without what came before, the target can be decoded from here on
	Required                      // the target needs it
)

// Indications holds one Indication for each of up to MaxTargets decode targets, two bits each.
type Indications uint64

// Of returns the indication for a target.
func (i Indications) Of(target int) Indication { return Indication(i >> (2 * target) & 3) }

func (i *Indications) set(target int, v Indication) {
	*i |= Indications(v&3) << (2 * target)
}

// Template is one of the kinds of frames that a structure foresees.
type Template struct {
	Indications Indications
	Spatial     uint8
	Temporal    uint8
	// References is how many entries of Differences count.
	References uint8
	// Differences are the numbers of frames from this one back to those it needs, 1 to 16.
	Differences [MaxReferences]uint8
	// Chains are, for each chain, the numbers of frames back to the last one of the chain, 0 for none.
	Chains [MaxTargets]uint8
}

// Target is a choice of layers that can be decoded.
type Target struct {
	Spatial, Temporal uint8
	// Chain is the chain that protects it: as long as no frame of it is missing, the target can be decoded. There is none when
	// the structure has no chains.
	Chain uint8
}

// Structure is what the templates, decode targets and chains of one coded video sequence are.
type Structure struct {
	// Offset is the template id of the first template.
	Offset uint8
	// Layers is the number of spatial layers.
	Layers    uint8
	Templates uint8
	Targets   uint8
	Chains    uint8
	// HasSizes says that Sizes, in pixels, are there for each spatial layer.
	HasSizes bool
	Sizes    [4]struct{ Width, Height int32 }
	Target   [MaxTargets]Target
	Template [MaxTemplates]Template
}

// All is the mask with all decode targets.
func (s *Structure) All() uint32 { return uint32(1<<s.Targets - 1) }

// Mask returns the decode targets whose layers are not above the given ones.
func (s *Structure) Mask(spatial, temporal uint8) uint32 {
	var mask uint32
	for i := range s.Targets {
		if s.Target[i].Spatial <= spatial && s.Target[i].Temporal <= temporal {
			mask |= 1 << i
		}
	}
	return mask
}

// Best returns the decode target with the highest layers that are not above the given ones, the spatial layer first; -1 when
// there is none.
func (s *Structure) Best(spatial, temporal uint8) int {
	best, height := -1, -1
	for i := range int(s.Targets) {
		t := s.Target[i]
		if h := int(t.Spatial)<<8 | int(t.Temporal); t.Spatial <= spatial && t.Temporal <= temporal && h > height {
			best, height = i, h
		}
	}
	return best
}

// read reads template_dependency_structure of appendix A.8.2. s is zero before.
func (s *Structure) read(r *bitReader) error {
	s.Offset = uint8(r.read(6))
	s.Targets = uint8(r.read(5)) + 1
	if err := s.readLayers(r); err != nil {
		return err
	}
	for i := range s.Templates {
		for target := range int(s.Targets) {
			s.Template[i].Indications.set(target, Indication(r.read(2)))
		}
	}
	for i := range s.Templates {
		t := &s.Template[i]
		for r.flag() {
			t.refer(uint8(r.read(4)) + 1)
		}
	}
	s.readChains(r)
	s.layTargets()
	if s.HasSizes = r.flag(); s.HasSizes {
		for i := range min(s.Layers, 4) {
			s.Sizes[i].Width = int32(r.read(16)) + 1
			s.Sizes[i].Height = int32(r.read(16)) + 1
		}
	}
	if r.short {
		return ErrShort
	}
	return nil
}

func (t *Template) refer(difference uint8) {
	if t.References < MaxReferences {
		t.Differences[t.References] = difference
		t.References++
	}
}

// readLayers reads the layers of each template, and so how many there are.
func (s *Structure) readLayers(r *bitReader) error {
	spatial, temporal := uint8(0), uint8(0)
	for next := uint32(0); next != 3; {
		if s.Templates == MaxTemplates || spatial > 3 || temporal > 7 {
			return ErrMalformed
		}
		s.Template[s.Templates].Spatial, s.Template[s.Templates].Temporal = spatial, temporal
		s.Templates++
		switch next = r.read(2); next {
		case 1:
			temporal++
		case 2:
			temporal = 0
			spatial++
		}
		if r.short {
			return ErrShort
		}
	}
	s.Layers = spatial + 1
	return nil
}

func (s *Structure) readChains(r *bitReader) {
	s.Chains = uint8(r.even(uint32(s.Targets) + 1))
	if s.Chains == 0 {
		return
	}
	for i := range s.Targets {
		s.Target[i].Chain = uint8(r.even(uint32(s.Chains)))
	}
	for i := range s.Templates {
		for chain := range s.Chains {
			s.Template[i].Chains[chain] = uint8(r.read(4))
		}
	}
}

// layTargets finds the layers of each decode target: the highest of the frames that it has.
func (s *Structure) layTargets() {
	for target := range int(s.Targets) {
		for i := range s.Templates {
			if t := &s.Template[i]; t.Indications.Of(target) != NotPresent {
				s.Target[target].Spatial = max(s.Target[target].Spatial, t.Spatial)
				s.Target[target].Temporal = max(s.Target[target].Temporal, t.Temporal)
			}
		}
	}
}
