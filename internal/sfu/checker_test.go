package sfu

import (
	"testing"

	"github.com/parley-rtc/parley/internal/rtp"
)

// checker is a receiver who insists on a stream that can be decoded: numbers without holes, timestamps that go forward, frames
// from their first packet to the last, pictures whose references have come.
type checker struct {
	tb      testing.TB
	rtp     []received
	lossy   bool // holes are the path's
	late    bool // the first key frame may be lost, and what a key frame makes superfluous
	codec   rtp.Codec
	ignored int
}

type received struct {
	header rtp.Header
	values rtp.Values
	pkt    []byte
	seq    int64
	about  rtp.Descriptor
}

func newChecker(tb testing.TB) *checker { return &checker{tb: tb, codec: rtp.VP8} }

// take takes a packet of media; retransmissions become what they repeat.
func (c *checker) take(pkt []byte) {
	h, err := rtp.Parse(pkt)
	if err != nil {
		c.tb.Fatal(err)
	}
	table := extensions()
	rec := received{header: h, pkt: pkt}
	rec.values.Locate(&h, pkt, &table)
	switch h.PayloadType {
	case 97, 99, 46, 103:
		original, rest, ok := rtp.SplitRTX(h.Payload(pkt))
		if !ok || len(rest) == 0 && c.came(original) {
			return
		}
		rec.header.Sequence = original
		rec.header.Size += 2
		rec.header.PayloadType--
	}
	switch rec.header.PayloadType {
	case 98:
		c.codec = rtp.VP9
	case 45:
		c.codec = rtp.AV1
	case 102:
		c.codec = rtp.H264
	}
	c.rtp = append(c.rtp, rec)
}

// came reports whether a number has come already: then a repetition without content says nothing.
func (c *checker) came(number uint16) bool {
	for _, rec := range c.rtp {
		if rec.header.Sequence == number {
			return true
		}
	}
	return false
}

// ordered is what came, in the order of numbers, without doubles.
func (c *checker) ordered() []received {
	var u rtp.Unwrapper
	bySeq := map[int64]received{}
	least, most := int64(1)<<62, int64(-1)<<62
	for _, rec := range c.rtp {
		rec.seq = u.Unwrap(rec.header.Sequence)
		if old, ok := bySeq[rec.seq]; ok {
			if string(old.header.Payload(old.pkt)) != string(rec.header.Payload(rec.pkt)) {
				c.tb.Fatalf("number %d came with two payloads", rec.seq)
			}
			c.ignored++
			continue
		}
		bySeq[rec.seq] = rec
		least, most = min(least, rec.seq), max(most, rec.seq)
	}
	var all []received
	for seq := least; seq <= most; seq++ {
		rec, ok := bySeq[seq]
		if !ok {
			if !c.lossy && !c.late {
				c.tb.Fatalf("number %d of %d to %d never came", seq, least, most)
			}
			continue
		}
		all = append(all, rec)
	}
	return all
}

// finish goes through all that came, and wants at least so many whole frames.
func (c *checker) finish(frames int) int {
	c.tb.Helper()
	var dependency rtp.Dependency
	var u rtp.Unwrapper
	have := map[int64]bool{} // frames by number of the descriptor
	whole, open, broken := 0, false, false
	var before *received
	padded, resumed, skipped := false, false, 0 // skipped counts what came after a hole, before the key frame that mends it
	lastTL0, lastPicture, pictures := uint8(0), uint16(0), 0
	all := c.ordered()
	for i := range all {
		rec := &all[i]
		if rec.header.Size == rec.header.End {
			padded = true // a frame that was not wanted was to be here
			continue
		}
		if before != nil && rtp.BeforeTime(rec.header.Timestamp, before.header.Timestamp) {
			c.tb.Fatalf("packet %d: timestamp %d after %d", rec.seq, rec.header.Timestamp, before.header.Timestamp)
		}
		payload := rec.header.Payload(rec.pkt)
		f, err := rtp.ReadFrame(c.codec, payload, rec.header.Marker)
		if err != nil {
			c.tb.Fatalf("packet %d: %v: %x", rec.seq, err, rec.pkt)
		}
		if c.late && !c.lossy && i > 0 && rec.seq != all[i-1].seq+1 {
			skipped, open = max(skipped, 1), false
		}
		if skipped > 0 && !f.Key {
			if skipped++; skipped > 150 {
				c.tb.Fatalf("packet %d: no key frame after a hole", rec.seq)
			}
			continue
		}
		if skipped > 0 {
			skipped, padded, resumed, before = 0, true, true, nil
		}
		start, end := f.Start, f.End
		if value := rec.values.Of(rec.pkt, rtp.DependencyDescriptor); value != nil {
			d := &rec.about
			if err := dependency.Read(value, d); err != nil {
				c.tb.Fatalf("packet %d: descriptor %x: %v", rec.seq, value, err)
			}
			start, end = d.Start, d.End
			n := u.Unwrap(d.Number)
			if start {
				for _, back := range d.Differences[:d.References] {
					if !have[n-int64(back)] && !c.lossy {
						c.tb.Fatalf("packet %d: frame %d needs %d, which never came", rec.seq, n, n-int64(back))
					}
				}
				if len(have) == 0 && !d.Key() {
					c.tb.Fatalf("packet %d: begins with a frame that needs others", rec.seq)
				}
				have[n] = true
			}
		} else if whole == 0 && !open && !f.Key && c.late {
			continue
		} else if whole == 0 && !open && !f.Key && !c.lossy {
			c.tb.Fatalf("packet %d: does not begin with a key frame", rec.seq)
		}
		if c.codec == rtp.VP8 {
			if d, _ := rtp.ReadVP8(payload); d.PictureBits != 0 && start {
				if step := (d.PictureID - lastPicture) & 0x7FFF; pictures > 0 && (step == 0 || step > 1 && !c.lossy && !padded) {
					c.tb.Fatalf("packet %d: picture %d after %d", rec.seq, d.PictureID, lastPicture)
				}
				if step := d.TL0 - lastTL0; pictures > 0 && !c.lossy && !resumed && (d.TID == 0) != (step == 1) {
					c.tb.Fatalf("packet %d: TL0 %d after %d in layer %d", rec.seq, d.TL0, lastTL0, d.TID)
				}
				lastPicture, lastTL0 = d.PictureID, d.TL0
				pictures++
				padded, resumed = false, false
			}
		}
		hole := before != nil && rec.seq != before.seq+1
		switch {
		case start:
			if open && !f.Key && !c.lossy && c.codec != rtp.AV1 && c.codec != rtp.H264 {
				c.tb.Fatalf("packet %d: a frame begins before the last one ended", rec.seq)
			}
			open, broken = true, false
		case !open && !c.lossy:
			c.tb.Fatalf("packet %d: middle of a frame that did not begin", rec.seq)
		case hole && c.lossy:
			broken = true
		}
		if end && open {
			open = false
			if !broken {
				whole++
			}
		}
		before = rec
	}
	if skipped > 0 {
		c.tb.Fatal("no key frame after the last hole")
	}
	if whole < frames {
		c.tb.Fatalf("%d whole frames, want at least %d", whole, frames)
	}
	return whole
}
