package sfu

import (
	"slices"

	"github.com/parley-rtc/parley/internal/rtp"
)

// Sound has no format for retransmissions in any browser: who agreed on NACK for it misses the packet itself, under its own number
// (RFC 4585 §6.2.1; libwebrtc without RTX). Another packet under that number would be a second one under one nonce, and the header
// tells when it left, so what was sealed is kept, and leaves again byte for byte.

const (
	// copiesKept is how many packets of a place are kept, copiesBytes how many bytes of all of a person's: 2 s of one voice, 0.5 s
	// of five.
	copiesKept, copiesBytes = 64, 16 << 10
	// soundsShare is what of the bytes that may be repeated only sound may use: pictures ask for more than there is when a downlink
	// collapses, and a dozen packets of sound are nothing beside them.
	soundsShare = 2 << 10
)

// copies are the last packets of sound as they left to one person. The bytes lie one behind the other in a buffer that goes around.
type copies struct {
	data []byte
	head int64 // bytes written so far, those skipped at the end included
}

// kept is where the copy of a packet lies.
type kept struct {
	pos    int64 // in copies
	out    int64 // its number
	size   uint16
	at     uint16 // when it last left, in ms
	number uint16 // its transport-wide number
}

// room returns room for a datagram of up to n bytes; what was there is forgotten.
func (c *copies) room(n int) []byte {
	size := int64(len(c.data))
	if at := c.head % size; at+int64(n) > size {
		c.head += size - at
	}
	at := c.head % size
	return c.data[at : at : at+int64(n)]
}

// get returns a datagram that is kept; nil when it is not there any more.
func (c *copies) get(k *kept) []byte {
	if k.size == 0 || c.head-k.pos > int64(len(c.data)) {
		return nil
	}
	at := k.pos % int64(len(c.data))
	return c.data[at : at+int64(k.size)]
}

// keepCopies has copies of what leaves on the place kept from now on, if its receiver asks for lost sound and takes it no other way.
func (pl *place) keepCopies() {
	wanted := pl.section.Kind == Audio && pl.section.RTX == 0 && slices.ContainsFunc(pl.section.Codecs, func(c Codec) bool { return c.NACK })
	switch d := &pl.person.down; {
	case !wanted:
		pl.copies = nil
	case pl.copies == nil:
		pl.copies = make([]kept, copiesKept)
		if d.copies.data == nil {
			d.copies.data = make([]byte, copiesBytes)
		}
	}
}

// sendKept sends the packet in the buffer and keeps it as it left.
func (p *Person) sendKept(pl *place, header, n int, full int64) bool {
	d := &p.down
	datagram := p.way.KeepRTP(d.copies.room(n+tag), header, n, roc(full))
	if len(datagram) == 0 {
		return false
	}
	pl.copies[full&(copiesKept-1)] = kept{
		pos: d.copies.head, out: full, size: uint16(len(datagram)), at: uint16(p.room.t / milli), number: d.number,
	}
	d.copies.head += int64(len(datagram))
	return true
}

// resound sends a packet of sound once more, unless it left less than wait, in ms, ago. Like all sound it does not wait.
func (p *Person) resound(t int64, pl *place, number, wait uint16) bool {
	d := &p.down
	out := pl.numbers.top + int64(int16(number-uint16(pl.numbers.top)))
	k := &pl.copies[out&(copiesKept-1)]
	datagram := d.copies.get(k)
	if datagram == nil || k.out != out || uint16(t/milli)-k.at < wait || !d.mayRepeat(t, int64(len(datagram)+overhead), 0) {
		return false
	}
	k.at = uint16(t / milli)
	if !p.way.Resend(datagram) {
		d.stats.Dropped++
		return false
	}
	if d.ids[rtp.TransportNumber] != 0 {
		d.estimator.Repeated(p.room.now, k.number)
	}
	d.pacer.Passed(p.room.now, len(datagram)+overhead)
	d.plan.sent += int64(len(datagram) + overhead)
	d.stats.Packets++
	d.stats.Octets += uint64(len(datagram))
	d.stats.Repeated++
	pl.tally.repeated++
	return true
}
