package signal

import (
	"errors"
	"strconv"
)

// skip reads any value and forgets it.
func (r *reader) skip() {
	if r.err != nil {
		return
	}
	switch c := r.peek(); {
	case c == '{':
		r.object(nil, func(string) bool { r.skip(); return true })
	case c == '[':
		r.array(len(r.b), r.skip)
	case c == '"':
		r.text()
	case r.literal("true"), r.literal("false"), r.literal("null"):
	case c == '-' || c >= '0' && c <= '9':
		r.anyNumber()
	default:
		r.syntax()
	}
}

func (r *reader) anyNumber() {
	start := r.i
	for r.i < len(r.b) {
		switch c := r.b[r.i]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			r.i++
			continue
		}
		break
	}
	if _, err := strconv.ParseFloat(string(r.b[start:r.i]), 64); err != nil {
		if !errors.Is(err, strconv.ErrRange) {
			r.syntax()
		}
	}
}

// PeekType returns the type of the message that b begins with, or "" when b does not show it. b may be cut short: a
// shell reads the first MaxMessage bytes and learns whether a longer message is a description.
func PeekType(b []byte) Type {
	t, _ := peekHeader(b, false)
	return t
}

// peekHeader finds the type and, when all is true, the number of a message that may be broken behind them. It reads no
// further than it must.
func peekHeader(b []byte, all bool) (t Type, n uint64) {
	r := reader{b: b, lenient: true}
	r.object(nil, func(key string) bool {
		switch key {
		case "type":
			if r.peek() != '"' {
				return false
			}
			t = Type(r.text())
			if !all {
				r.fail(CodeMalformed, "enough")
			}
			return true
		case "n":
			n = r.number(maxNumber)
			return true
		}
		return false
	})
	return t, n
}
