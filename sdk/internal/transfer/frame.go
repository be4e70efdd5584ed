package transfer

import "encoding/binary"

// HeaderSize is the size of a binary frame's header.
const HeaderSize = 16

// Kind says what a binary frame carries.
type Kind uint8

// The kinds of binary frames.
const (
	KindData Kind = 1 // bytes of a chunk
	KindHash Kind = 2 // the SHA-256 of the chunk that just ended
)

// Header is the beginning of a binary frame.
type Header struct {
	Kind   Kind
	File   uint32
	Chunk  uint32
	Offset uint32 // of the payload in its chunk
}

// Put writes h into the first HeaderSize bytes of frame.
func (h Header) Put(frame []byte) {
	frame[0], frame[1], frame[2], frame[3] = byte(h.Kind), 0, 0, 0
	binary.BigEndian.PutUint32(frame[4:], h.File)
	binary.BigEndian.PutUint32(frame[8:], h.Chunk)
	binary.BigEndian.PutUint32(frame[12:], h.Offset)
}

// ParseFrame splits a binary frame. The payload is part of frame. What it accepts fits a chunk; whether the chunk exists
// is for the receiver to say.
func ParseFrame(frame []byte) (h Header, payload []byte, err error) {
	if len(frame) <= HeaderSize || len(frame) > MaxFrame {
		return h, nil, fault("a frame of %d bytes", len(frame))
	}
	h = Header{
		Kind: Kind(frame[0]), File: binary.BigEndian.Uint32(frame[4:]), Chunk: binary.BigEndian.Uint32(frame[8:]),
		Offset: binary.BigEndian.Uint32(frame[12:]),
	}
	payload = frame[HeaderSize:]
	switch {
	case frame[1]|frame[2]|frame[3] != 0:
		return h, nil, fault("a header with unknown flags")
	case h.Kind == KindData && int64(h.Offset)+int64(len(payload)) > ChunkSize:
		return h, nil, fault("data beyond the end of a chunk")
	case h.Kind == KindHash && (len(payload) != HashSize || h.Offset != 0):
		return h, nil, fault("a hash of %d bytes at offset %d", len(payload), h.Offset)
	case h.Kind != KindData && h.Kind != KindHash:
		return h, nil, fault("a frame of kind %d", h.Kind)
	}
	return h, payload, nil
}
