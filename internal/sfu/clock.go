package sfu

// Sender reports tell which timestamp of a stream was which moment of its publisher's clock (RFC 3550 §6.4.1). Receivers put sound and
// pictures in step by it, and take all reports of one CNAME for those of one clock. A place shows now this person, now that one, whose
// clocks may be years apart, so what leaves is on ours: with one offset for all that a person publishes, so that it cannot come apart.

const (
	// settling is for how long the offsets of reports are compared: the least is that of the one that was the least on its way.
	settling = 10 * second
	// slew is how slowly the offset follows, in parts of the time: two reports of one second, of sound and of a picture, are no more
	// than a millisecond apart by it, and no quartz drifts a tenth as fast.
	slew = 1000
	// unlike is from where on a clock has been set: no way here takes so long, and no quartz drifts so far.
	unlike = second
	// unknown stands for no offset yet.
	unknown = 1 << 62
)

// clock is a publisher's: what is to be added to their moments to make them ours.
type clock struct {
	offset uint64 // in units of NTP timestamps, 2^-32 s, modulo 136 years
	aim    int64  // by how much the offset is still to move, in ns
	least  int64  // by how much the quickest report since then was off
	since  int64  // 0 before the first report
	moved  int64  // when the offset last was
}

// read takes a report that came at t; ours is that moment, theirs what it says. It returns false when the clock has been set: what
// earlier reports said does not hold any more.
func (c *clock) read(t int64, ours, theirs uint64) bool {
	sample := ours - theirs // the way here is in it, and is never less than nothing
	if c.since == 0 {
		c.set(t, sample)
		return true
	}
	most := (t - c.moved) / slew
	step := min(max(c.aim, -most), most)
	c.offset += ntpOf(step)
	c.aim, c.least, c.moved = c.aim-step, c.least-step, t
	off := nanosOf(sample - c.offset)
	if off < -unlike {
		c.set(t, sample)
		return false
	}
	c.least, c.aim = min(c.least, off), min(c.aim, off)
	if t-c.since < settling {
		return true
	}
	if c.least > unlike {
		c.set(t, sample)
		return false
	}
	c.aim, c.least, c.since = c.least, unknown, t
	return true
}

func (c *clock) set(t int64, sample uint64) {
	*c = clock{offset: sample, least: unknown, since: t, moved: t}
}

// ntpOf is a span of nanoseconds in units of NTP timestamps, nanosOf the reverse. Both are for spans of either sign, modulo 2^64.
func ntpOf(nanos int64) uint64 {
	return uint64(nanos/second)<<32 + uint64(nanos%second<<32/second)
}

func nanosOf(ntp uint64) int64 {
	span := int64(ntp)
	if whole := span >> 32; whole > 1<<30 { // 34 years: sums of more have no room
		return unknown
	} else if whole < -1<<30 {
		return -unknown
	}
	return span>>32*second + span&(1<<32-1)*second>>32
}
