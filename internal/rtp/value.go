package rtp

import "encoding/binary"

// Level is what RFC 6464 says about a packet of sound.
type Level struct {
	// Loudness is in -dBov: 0 is the loudest, 127 silence.
	Loudness uint8
	// Voice says that the encoder thinks it is speech. It is to be believed only if vad=on was agreed.
	Voice bool
}

// ReadLevel reads an audio level.
func ReadLevel(value []byte) (Level, bool) {
	if len(value) < 1 {
		return Level{}, false
	}
	return Level{value[0] & 0x7F, value[0]&0x80 != 0}, true
}

// Byte is the level as it stands in the extension.
func (l Level) Byte() uint8 {
	if l.Voice {
		return l.Loudness&0x7F | 0x80
	}
	return l.Loudness & 0x7F
}

// ReadUint16 reads a transport-wide sequence number.
func ReadUint16(value []byte) (uint16, bool) {
	if len(value) < 2 {
		return 0, false
	}
	return binary.BigEndian.Uint16(value), true
}

// ReadUint24 reads an absolute send time, or two playout delays.
func ReadUint24(value []byte) (uint32, bool) {
	if len(value) < 3 {
		return 0, false
	}
	return uint32(value[0])<<16 | uint32(value[1])<<8 | uint32(value[2]), true
}

// ReadOffset reads a transmission time offset (RFC 5450): what is to be added to the timestamp, in its units, to get the time of
// sending.
func ReadOffset(value []byte) (int32, bool) {
	v, ok := ReadUint24(value)
	return int32(v<<8) >> 8, ok
}

// SendTime is the absolute send time of a moment in nanoseconds since any epoch: 24 bits of 6.18 fixed point seconds, which begin
// again after 64 s.
func SendTime(nanos int64) uint32 {
	seconds, rest := uint64(nanos)/1e9, uint64(nanos)%1e9
	return uint32(seconds<<18+(rest<<18+5e8)/1e9) & 0xFFFFFF
}

// Delay bounds how long a player may hold a picture back, in units of 10 ms, each at most 4095.
type Delay struct{ Least, Most uint16 }

// ReadDelay reads a playout delay.
func ReadDelay(value []byte) (Delay, bool) {
	v, ok := ReadUint24(value)
	return Delay{uint16(v >> 12), uint16(v & 0xFFF)}, ok
}

// Uint24 is the delay as it stands in the extension.
func (d Delay) Uint24() uint32 { return uint32(d.Least&0xFFF)<<12 | uint32(d.Most&0xFFF) }

// Orientation is how a picture is to be turned before it is shown (3GPP TS 26.114 §7.4.5).
type Orientation struct {
	// Turns is by how many quarters, clockwise, 0 to 3.
	Turns uint8
	// Flip says that it is to be mirrored left to right first.
	Flip bool
	// Back says that the camera at the back took it.
	Back bool
}

// ReadOrientation reads a video orientation.
func ReadOrientation(value []byte) (Orientation, bool) {
	if len(value) < 1 {
		return Orientation{}, false
	}
	return Orientation{value[0] & 3, value[0]&4 != 0, value[0]&8 != 0}, true
}

// NTP is the 64-bit timestamp of RFC 3550 §4 for a moment in nanoseconds since 1970 UTC.
func NTP(unixNanos int64) uint64 {
	const era = 2208988800 // from 1900 to 1970, in seconds
	seconds, rest := uint64(unixNanos)/1e9, uint64(unixNanos)%1e9
	return (seconds+era)<<32 | rest<<32/1e9
}

// MiddleNTP is the 32 bits in the middle of an NTP timestamp, as reports quote it: 16.16 fixed point seconds.
func MiddleNTP(ntp uint64) uint32 { return uint32(ntp >> 16) }
