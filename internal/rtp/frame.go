package rtp

// Codec is a payload format that we can look into.
type Codec uint8

// The codecs. Of NoCodec, and of sound, nothing is known but the marker.
const (
	NoCodec Codec = iota
	VP8
	VP9
	H264
	AV1
	Opus
	RED
)

// Frame is what a packet tells about the frame that it is a part of, read from the bytes that end-to-end encryption leaves in
// clear. A dependency descriptor, where there is one, knows better.
type Frame struct {
	// Key says that this packet belongs to a key frame and shows it: that a decoder can begin with this frame. VP8, VP9 and AV1
	// show it in the first packet only, H.264 in those with parameter sets or the beginning of an IDR slice.
	Key bool
	// Start says that the (layer) frame begins here. H.264 may say so of several packets in a row, and AV1 of each OBU: the
	// timestamp tells then.
	Start bool
	// End says that the (layer) frame ends here.
	End bool
	// Switch says that a receiver of only the lower temporal layers may begin to take this frame's layer here: the frame needs
	// none of its own layer. It is set in every frame of the lowest layer, and in key frames.
	Switch bool
	// Discardable says that no other frame needs this one.
	Discardable bool
	// Layered says that the packet told its layers.
	Layered bool
	// Spatial and Temporal are the layers, 0 when there is but one.
	Spatial, Temporal uint8
}

// ReadFrame reads what the payload says of its frame; marker is that of the packet's header. The payload must not be empty:
// padding is no part of a frame.
func ReadFrame(c Codec, payload []byte, marker bool) (Frame, error) {
	switch c {
	case VP8:
		d, err := ReadVP8(payload)
		return sound(d.frame(marker), err)
	case VP9:
		d, err := ReadVP9(payload)
		return sound(d.frame(), err)
	case H264:
		d, err := ReadH264(payload)
		return sound(d.frame(marker), err)
	case AV1:
		d, err := ReadAV1(payload)
		return sound(d.frame(marker), err)
	case NoCodec, Opus, RED:
	}
	if len(payload) == 0 {
		return Frame{}, ErrShort
	}
	return Frame{Start: true, End: true}, nil
}

// sound gives the frame only if there was no fault.
func sound(f Frame, err error) (Frame, error) {
	if err != nil {
		return Frame{}, err
	}
	return f, nil
}
