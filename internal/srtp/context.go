package srtp

import (
	"encoding/binary"
	"fmt"
)

// transform protects packets with the keys of RTP or of RTCP. Lengths have been checked, and sealing has its room.
type transform interface {
	sealRTP(b []byte, headerLen, n int, ssrc uint32, index uint64)
	openRTP(b []byte, headerLen int, ssrc uint32, index uint64) bool
	sealRTCP(b []byte, n int, ssrc, index uint32)
	openRTCP(b []byte, ssrc, index uint32) bool
	rtcpWord(b []byte) uint32
}

// Context protects one direction of one transport. The package's contract says how it is to be used.
type Context struct {
	profile  Profile
	overhead int

	rtp, rtcp               transform
	rtpSources, rtcpSources sources
	sealedRTCP              uint32 // the index of the last RTCP packet that was sealed
	stats                   Stats
	spare                   []byte // see open
}

// New returns a context for what is sealed with the master key and salt of a handshake (RFC 5764 §4.2). It copies both. The
// error says that the profile is unknown or the sizes are not its own: our own fault.
func New(p Profile, masterKey, masterSalt []byte) (*Context, error) {
	if p.KeySize() == 0 {
		return nil, fmt.Errorf("srtp: unknown profile %#04x", uint16(p))
	}
	if len(masterKey) != p.KeySize() || len(masterSalt) != p.SaltSize() {
		return nil, fmt.Errorf("srtp: %s wants %d bytes of key and %d of salt, not %d and %d",
			p, p.KeySize(), p.SaltSize(), len(masterKey), len(masterSalt))
	}
	rtp, err := derive(p, masterKey, masterSalt, false)
	if err != nil {
		return nil, fmt.Errorf("srtp: %w", err)
	}
	rtcp, err := derive(p, masterKey, masterSalt, true)
	if err != nil {
		return nil, fmt.Errorf("srtp: %w", err)
	}
	return newContext(p, rtp, rtcp)
}

func newContext(p Profile, rtp, rtcp sessionKeys) (*Context, error) {
	c := &Context{profile: p, overhead: p.Overhead()}
	for _, t := range []struct {
		to   *transform
		keys sessionKeys
	}{{&c.rtp, rtp}, {&c.rtcp, rtcp}} {
		var err error
		if p == AES128CMHMACSHA180 {
			*t.to, err = newCM(t.keys)
		} else {
			*t.to, err = newGCM(t.keys)
		}
		if err != nil {
			return nil, fmt.Errorf("srtp: %w", err)
		}
	}
	return c, nil
}

// Profile returns what the context was made for.
func (c *Context) Profile() Profile { return c.profile }

// Stats returns the counters.
func (c *Context) Stats() Stats { return c.stats }

// OpenRTP authenticates and decrypts an RTP packet in place and returns it without its tag. headerLen is the size of its header
// with CSRCs and extensions, as the header says it; a wrong one only makes a wrong packet. The errors are ErrLength,
// ErrReplayed, ErrSources and ErrForged.
func (c *Context) OpenRTP(pkt []byte, headerLen int) ([]byte, error) {
	n := len(pkt) - c.overhead
	if headerLen < rtpHeaderSize || n < headerLen || len(pkt) > MaxPacket {
		c.stats.Malformed++
		return nil, ErrLength
	}
	ssrc, seq := binary.BigEndian.Uint32(pkt[8:]), binary.BigEndian.Uint16(pkt[2:])
	w := c.rtpSources.find(ssrc)
	if w == nil {
		return c.meet(pkt, headerLen, ssrc, seq)
	}
	index, err := c.open(w, pkt, headerLen, ssrc, w.guess(seq))
	if err != nil {
		return nil, err
	}
	w.mark(index)
	w.missed = 0
	c.stats.Opened++
	return pkt[:n], nil
}

// meet opens the first packet of a source, whose rollover counter is 0: transports are newer than their sources.
func (c *Context) meet(pkt []byte, headerLen int, ssrc uint32, seq uint16) ([]byte, error) {
	if c.rtpSources.full() {
		c.stats.Refused++
		return nil, ErrSources
	}
	if !c.rtp.openRTP(pkt, headerLen, ssrc, uint64(seq)) {
		c.stats.Forged++
		return nil, ErrForged
	}
	c.rtpSources.add(ssrc).mark(uint64(seq))
	c.stats.Opened++
	return pkt[:len(pkt)-c.overhead], nil
}

const (
	// lostEvery is how many packets in a row of a known source that cannot be opened make us ask whether we have lost count.
	lostEvery = 32
	// lostSize is the longest packet in bytes that is asked.
	lostSize = 2048
)

// open opens a packet of a known source and returns its index, ErrForged or ErrReplayed.
//
// Whoever misses more than 2^15 packets of a source that went on sending in the dark guesses its rollover counter wrong for ever
// after (RFC 3711 §3.3.1). So of the packets that cannot be opened each 32nd is tried again with the counter one or two higher:
// a flood of forged ones costs a thirtieth more, and no honest one is lost by it.
func (c *Context) open(w *window, pkt []byte, headerLen int, ssrc uint32, index int64) (uint64, error) {
	lost := w.missed%lostEvery == lostEvery-1 && len(pkt) <= lostSize
	if lost {
		if c.spare == nil {
			c.spare = make([]byte, lostSize)
		}
		copy(c.spare, pkt) // a failure spoils the packet
	}
	fault, counter := ErrReplayed, &c.stats.Replayed
	if !w.old(index) {
		if !w.fresh(uint64(index)) {
			c.stats.Replayed++
			return 0, ErrReplayed
		}
		if index < maxIndex && c.rtp.openRTP(pkt, headerLen, ssrc, uint64(index)) {
			return uint64(index), nil
		}
		fault, counter = ErrForged, &c.stats.Forged
	}
	w.missed++
	index += 1 << 16 << ((w.missed/lostEvery + 1) % 2)
	if !lost || index >= maxIndex || !c.rtp.openRTP(c.spare[:len(pkt)], headerLen, ssrc, uint64(index)) {
		*counter++
		return 0, fault
	}
	copy(pkt, c.spare)
	return uint64(index), nil
}

// SealRTP encrypts and signs in place the RTP packet in the first n bytes of dst and returns it with its tag, for which dst must
// have room ([Profile.Overhead]). headerLen is the size of its header with CSRCs and extensions. roc counts how often the
// source's sequence number has passed 65535 (RFC 3711 §3.3.1); the caller knows, for it numbers the packets.
//
// No number of a source is sealed twice, nor one that is too far behind the source's newest to know: ErrReused. The other errors
// are ErrLength, ErrRoom and ErrSources; with all of them dst is untouched.
func (c *Context) SealRTP(dst []byte, headerLen, n int, roc uint32) ([]byte, error) {
	if headerLen < rtpHeaderSize || n < headerLen || n > MaxPacket-c.overhead {
		return nil, ErrLength
	}
	if len(dst) < n+c.overhead {
		return nil, ErrRoom
	}
	dst = dst[: n+c.overhead : n+c.overhead]
	ssrc, index := binary.BigEndian.Uint32(dst[8:]), uint64(roc)<<16|uint64(binary.BigEndian.Uint16(dst[2:]))
	w := c.rtpSources.find(ssrc)
	switch {
	case w == nil && c.rtpSources.full():
		return nil, ErrSources
	case w == nil:
		w = c.rtpSources.add(ssrc)
	case !w.fresh(index):
		return nil, ErrReused
	}
	w.mark(index)
	c.rtp.sealRTP(dst, headerLen, n, ssrc, index)
	c.stats.Sealed++
	return dst, nil
}

// OpenRTCP authenticates and decrypts a compound RTCP packet in place and returns it without index and tag. The errors are
// ErrLength, ErrClear, ErrReplayed, ErrSources and ErrForged.
func (c *Context) OpenRTCP(pkt []byte) ([]byte, error) {
	n := len(pkt) - c.overhead - wordSize
	if n < rtcpHeaderSize || len(pkt) > MaxPacket {
		c.stats.Malformed++
		return nil, ErrLength
	}
	ssrc, word := binary.BigEndian.Uint32(pkt[4:]), c.rtcp.rtcpWord(pkt)
	if word&encryptedFlag == 0 {
		c.stats.Malformed++
		return nil, ErrClear
	}
	index := word &^ encryptedFlag
	w := c.rtcpSources.find(ssrc)
	switch {
	case w != nil && !w.fresh(uint64(index)):
		c.stats.Replayed++
		return nil, ErrReplayed
	case w == nil && c.rtcpSources.full():
		c.stats.Refused++
		return nil, ErrSources
	}
	if !c.rtcp.openRTCP(pkt, ssrc, index) {
		c.stats.Forged++
		return nil, ErrForged
	}
	if w == nil {
		w = c.rtcpSources.add(ssrc)
	}
	w.mark(uint64(index))
	c.stats.Opened++
	return pkt[:n], nil
}

// SealRTCP encrypts and signs in place the compound RTCP packet in the first n bytes of dst and returns it with index and tag,
// for which dst must have room ([Profile.OverheadRTCP]). All sources share one index. The errors are ErrLength, ErrRoom and
// ErrExhausted; with all of them dst is untouched.
func (c *Context) SealRTCP(dst []byte, n int) ([]byte, error) {
	whole := n + c.overhead + wordSize
	if n < rtcpHeaderSize || whole > MaxPacket {
		return nil, ErrLength
	}
	if len(dst) < whole {
		return nil, ErrRoom
	}
	if c.sealedRTCP == maxIndexRTCP {
		return nil, ErrExhausted
	}
	// The first index is 1, as with other implementations; RFC 3711 §3.4 would allow 0.
	c.sealedRTCP++
	dst = dst[:whole:whole]
	c.rtcp.sealRTCP(dst, n, binary.BigEndian.Uint32(dst[4:]), c.sealedRTCP)
	c.stats.Sealed++
	return dst, nil
}

// Forget makes room for another source where this one has ended. Its replay window goes with it: a context that opens would
// take its packets again, so those of sources that signalling does not name are to be dropped anyway; for a context that seals
// the SSRC must never come back.
func (c *Context) Forget(ssrc uint32) {
	c.rtpSources.forget(ssrc)
	c.rtcpSources.forget(ssrc)
}
