package rtp

// LayerRate is what a sender gives to one spatial layer (video-layers-allocation00).
type LayerRate struct {
	// Stream is the index of the simulcast stream, Spatial the layer in it.
	Stream, Spatial uint8
	// Temporals is the number of temporal layers, 1 to 4; Rates are their target bit rates in kbit/s, each with those below it.
	Temporals uint8
	Rates     [4]uint32
	// Width, Height in pixels and Rate in frames per second are 0 when they were not told.
	Width, Height uint32
	Rate          uint8
}

// Allocation is which layers a sender makes at present.
type Allocation struct {
	// Layers holds the active spatial layers, the first Count of it.
	Layers [16]LayerRate
	Count  uint8
	// Stream is the index of the stream that the packet belongs to, Streams how many there are, up to 4.
	Stream, Streams uint8
}

// ReadAllocation reads a video layers allocation. The value with a single zero byte says that nothing is sent.
func ReadAllocation(value []byte, a *Allocation) error {
	*a = Allocation{}
	if len(value) == 0 {
		return ErrShort
	}
	if len(value) == 1 && value[0] == 0 {
		return nil
	}
	r := bitReader{b: value}
	a.Stream, a.Streams = uint8(r.read(2)), uint8(r.read(2))+1
	var masks [4]uint32
	if shared := r.read(4); shared != 0 {
		masks = [4]uint32{shared, shared, shared, shared}
	} else {
		for i := range a.Streams {
			masks[i] = r.read(4)
		}
		r.align()
	}
	for stream := range a.Streams {
		for spatial := range uint8(4) {
			if masks[stream]>>spatial&1 != 0 {
				a.Layers[a.Count] = LayerRate{Stream: stream, Spatial: spatial}
				a.Count++
			}
		}
	}
	return a.readRates(&r)
}

func (a *Allocation) readRates(r *bitReader) error {
	layers := a.Layers[:a.Count]
	for i := range layers {
		layers[i].Temporals = uint8(r.read(2)) + 1
	}
	r.align()
	for i := range layers {
		for t := range layers[i].Temporals {
			v, used := leb128(r.b[r.at/8:])
			if used == 0 {
				return ErrShort
			}
			layers[i].Rates[t] = uint32(min(v, 1<<32-1))
			r.at += 8 * used
		}
	}
	if r.short {
		return ErrShort
	}
	if len(r.b) == r.at/8 { // sizes are not in every packet
		return nil
	}
	for i := range layers {
		layers[i].Width, layers[i].Height = r.read(16)+1, r.read(16)+1
		layers[i].Rate = uint8(r.read(8))
	}
	if r.short {
		return ErrShort
	}
	return nil
}
