package rtp

// Before reports whether sequence number a comes before b, the nearer way around (RFC 1982). Numbers that are exactly half the
// circle apart are neither before the other.
func Before(a, b uint16) bool { return int16(a-b) < 0 && a-b != 1<<15 }

// BeforeTime is Before for timestamps.
func BeforeTime(a, b uint32) bool { return int32(a-b) < 0 && a-b != 1<<31 }

// Unwrapper counts 16-bit sequence numbers on past their end. The zero value is ready; the first number is itself. It goes by
// the highest number so far, as RFC 3711 §3.3.1 does, so a late packet cannot turn the count back.
type Unwrapper struct {
	highest int64
	begun   bool
}

// Unwrap returns the number in 64 bits: the one nearest to the highest so far. It may be negative for what was sent before the
// first that came.
func (u *Unwrapper) Unwrap(number uint16) int64 {
	n := u.Peek(number)
	if !u.begun || n > u.highest {
		u.highest, u.begun = n, true
	}
	return n
}

// Peek is Unwrap without taking note, for a number that is not proven yet.
func (u *Unwrapper) Peek(number uint16) int64 {
	if !u.begun {
		return int64(number)
	}
	return u.highest + int64(int16(number-uint16(u.highest)))
}

// Highest returns the highest number so far; false before the first.
func (u *Unwrapper) Highest() (int64, bool) { return u.highest, u.begun }

// TimeUnwrapper is an Unwrapper for 32-bit timestamps.
type TimeUnwrapper struct {
	highest int64
	begun   bool
}

// Unwrap returns the timestamp in 64 bits: the one nearest to the highest so far.
func (u *TimeUnwrapper) Unwrap(timestamp uint32) int64 {
	if !u.begun {
		u.highest, u.begun = int64(timestamp), true
		return u.highest
	}
	n := u.highest + int64(int32(timestamp-uint32(u.highest)))
	u.highest = max(u.highest, n)
	return n
}
