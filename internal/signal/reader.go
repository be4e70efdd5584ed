package signal

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deeply objects and arrays may nest; the protocol itself needs five levels.
const maxDepth = 16

// maxFields bounds how many fields one object may have; no message has more than a dozen. Looking for a field that appears
// twice takes the square of it, so without a bound one large message would occupy a processor for seconds.
const maxFields = 128

// maxNumber is the largest integer that JavaScript holds exactly.
const maxNumber = 1<<53 - 1

// reader walks one JSON text (RFC 8259) strictly: no comments, no duplicate keys, no loose numbers. The first fault
// stays in err and makes every later call return at once, so that callers need not check each step. It knows the path
// of the value it stands on.
type reader struct {
	b       []byte
	i       int
	path    []byte
	depth   int
	lenient bool // skip unknown fields and accept unknown values: what a newer server may say
	err     *Error
}

// fail keeps the first fault, with the path of the value that is being read.
func (r *reader) fail(code Code, words string) {
	if r.err == nil {
		r.err = &Error{Code: code, Field: clean(string(r.path)), Words: words}
	}
	r.i = len(r.b)
}

func (r *reader) malformed(words string) { r.fail(CodeMalformed, words) }

// syntax is for text that is no JSON at all.
func (r *reader) syntax() {
	r.malformed("this is not valid JSON at byte " + strconv.Itoa(min(r.i, len(r.b))) + "; send one JSON object per message")
}

func (r *reader) space() {
	for r.i < len(r.b) {
		switch r.b[r.i] {
		case ' ', '\t', '\r', '\n':
			r.i++
		default:
			return
		}
	}
}

// peek returns the first byte of the next value, 0 at the end.
func (r *reader) peek() byte {
	r.space()
	if r.i >= len(r.b) {
		return 0
	}
	return r.b[r.i]
}

// take consumes c, which must be next.
func (r *reader) take(c byte) bool {
	if r.err != nil {
		return false
	}
	if r.peek() != c {
		r.syntax()
		return false
	}
	r.i++
	return true
}

func (r *reader) enter() bool {
	if r.depth++; r.depth > maxDepth {
		r.malformed("nested too deeply; the limit is " + strconv.Itoa(maxDepth) + " levels")
		return false
	}
	return true
}

// object reads an object and calls field for each key; field reads the value and returns true, or returns false for a
// key that it does not know. The names in need must all appear.
func (r *reader) object(need []string, field func(key string) bool) {
	if r.err == nil && r.peek() != '{' {
		r.wrong("an object")
		return
	}
	if !r.take('{') || !r.enter() {
		return
	}
	defer func() { r.depth-- }()
	var seen []string
	base := len(r.path)
	for first := true; r.err == nil; first = false {
		if r.peek() == '}' && first {
			r.i++
			break
		}
		key := r.key()
		r.enterField(key)
		for _, s := range seen {
			if s == key {
				r.malformed("appears twice; send it once")
			}
		}
		if seen = append(seen, key); len(seen) > maxFields {
			r.fail(CodeTooLarge, "is one field too many; the limit is "+strconv.Itoa(maxFields)+" in one object")
		}
		if r.err == nil && !field(key) {
			r.unknown()
		}
		if r.err != nil {
			return
		}
		r.path = r.path[:base]
		if r.peek() != ',' {
			r.take('}')
			break
		}
		r.i++
	}
	r.require(need, seen)
}

func (r *reader) key() string {
	if r.peek() != '"' {
		r.syntax()
		return ""
	}
	key := r.text()
	r.take(':')
	return key
}

func (r *reader) enterField(key string) {
	if len(r.path) > 0 {
		r.path = append(r.path, '.')
	}
	r.path = append(r.path, key[:min(len(key), MaxID)]...)
}

func (r *reader) require(need, seen []string) {
	for _, n := range need {
		found := false
		for _, s := range seen {
			found = found || s == n
		}
		if !found && r.err == nil {
			r.enterField(n)
			r.malformed("is missing; it is required")
		}
	}
}

func (r *reader) unknown() {
	if r.lenient {
		r.skip()
		return
	}
	r.malformed("is not a field of this message; leave it out or check its spelling")
}

// array reads an array of at most limit elements and calls element for each.
func (r *reader) array(limit int, element func()) {
	if r.err == nil && r.peek() != '[' {
		r.wrong("a list")
		return
	}
	if !r.take('[') || !r.enter() {
		return
	}
	defer func() { r.depth-- }()
	if r.peek() == ']' {
		r.i++
		return
	}
	base := len(r.path)
	for n := 0; r.err == nil; n++ {
		if n == limit {
			r.fail(CodeTooLarge, "has too many elements; the limit is "+strconv.Itoa(limit))
			return
		}
		r.path = append(r.path, '[')
		r.path = strconv.AppendInt(r.path, int64(n), 10)
		r.path = append(r.path, ']')
		element()
		if r.err != nil {
			return
		}
		r.path = r.path[:base]
		if r.peek() != ',' {
			r.take(']')
			return
		}
		r.i++
	}
}

// wrong reports a value of another kind than want.
func (r *reader) wrong(want string) {
	switch r.peek() {
	case '{', '[', '"', 't', 'f', 'n', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		r.malformed("must be " + want)
	default:
		r.syntax()
	}
}

// boolean reads true or false.
func (r *reader) boolean() bool {
	if r.err != nil {
		return false
	}
	switch {
	case r.literal("true"):
		return true
	case r.literal("false"):
	default:
		r.wrong("true or false")
	}
	return false
}

// null consumes a null, if one is next.
func (r *reader) null() bool { return r.err == nil && r.literal("null") }

func (r *reader) literal(word string) bool {
	r.space()
	if !strings.HasPrefix(string(r.b[r.i:min(len(r.b), r.i+len(word))]), word) {
		return false
	}
	r.i += len(word)
	return true
}

// number reads a whole number from 0 to limit.
func (r *reader) number(limit uint64) uint64 {
	if r.err != nil {
		return 0
	}
	c := r.peek()
	if c < '0' || c > '9' {
		r.wrong("a whole number from 0 to " + strconv.FormatUint(limit, 10))
		return 0
	}
	start := r.i
	var v uint64
	for ; r.i < len(r.b) && r.b[r.i] >= '0' && r.b[r.i] <= '9'; r.i++ {
		if v = v*10 + uint64(r.b[r.i]-'0'); v > limit {
			r.malformed("must be a whole number from 0 to " + strconv.FormatUint(limit, 10))
			return 0
		}
	}
	if r.i < len(r.b) && (r.b[r.i] == '.' || r.b[r.i] == 'e' || r.b[r.i] == 'E') || r.b[start] == '0' && r.i > start+1 {
		r.malformed("must be a whole number without fraction, exponent or leading zeros")
		return 0
	}
	return v
}

// signed reads a whole number from -limit to limit.
func (r *reader) signed(limit uint64) int64 {
	if r.err == nil && r.peek() == '-' {
		if r.i++; r.i >= len(r.b) || r.b[r.i] < '0' || r.b[r.i] > '9' {
			r.syntax()
			return 0
		}
		return -int64(r.number(limit))
	}
	return int64(r.number(limit))
}

// string reads a string of at most limit bytes of UTF-8.
func (r *reader) string(limit int) string {
	if r.err != nil {
		return ""
	}
	if r.peek() != '"' {
		r.wrong("a string")
		return ""
	}
	s := r.text()
	if r.err == nil && len(s) > limit {
		r.fail(CodeTooLarge, "is "+strconv.Itoa(len(s))+" bytes long; the limit is "+strconv.Itoa(limit))
		return ""
	}
	return s
}

// text reads the string that starts at the quote under the cursor.
func (r *reader) text() string {
	if r.err != nil {
		return ""
	}
	start := r.i + 1
	for i := start; i < len(r.b); i++ {
		switch c := r.b[i]; {
		case c == '"':
			r.i = i + 1
			return string(r.b[start:i])
		case c == '\\':
			return r.escaped(start, i)
		case c < ' ':
			r.i = i
			r.syntax()
			return ""
		}
	}
	r.i = len(r.b)
	r.syntax()
	return ""
}

// escaped goes on with a string whose first backslash is at i.
func (r *reader) escaped(start, i int) string {
	out := append(make([]byte, 0, 2*(i-start)+16), r.b[start:i]...)
	for r.i = i; r.err == nil && r.i < len(r.b); {
		c := r.b[r.i]
		switch {
		case c == '"':
			r.i++
			return string(out)
		case c == '\\':
			out = r.escape(out)
		case c < ' ':
			r.syntax()
		default:
			out = append(out, c)
			r.i++
		}
	}
	r.syntax()
	return ""
}

// escape reads one escape sequence at the cursor and appends what it stands for.
func (r *reader) escape(out []byte) []byte {
	if r.i+1 >= len(r.b) {
		r.syntax()
		return out
	}
	c := r.b[r.i+1]
	if c == 'u' {
		return r.unicode(out)
	}
	at := strings.IndexByte(`"\/bfnrt`, c)
	if at < 0 {
		r.syntax()
		return out
	}
	r.i += 2
	return append(out, "\"\\/\b\f\n\r\t"[at])
}

func (r *reader) unicode(out []byte) []byte {
	c := r.hex()
	if utf16.IsSurrogate(c) {
		low := rune(0)
		if r.i+1 < len(r.b) && r.b[r.i] == '\\' && r.b[r.i+1] == 'u' {
			low = r.hex()
		}
		if c = utf16.DecodeRune(c, low); c == utf8.RuneError && r.err == nil {
			r.malformed(`holds half of a surrogate pair (\ud800 to \udfff); remove it`)
		}
	}
	return utf8.AppendRune(out, c)
}

// hex reads the \uXXXX whose backslash and u are at the cursor.
func (r *reader) hex() rune {
	if r.i+6 > len(r.b) {
		r.syntax()
		return 0
	}
	v, err := strconv.ParseUint(string(r.b[r.i+2:r.i+6]), 16, 16)
	if err != nil {
		r.syntax()
		return 0
	}
	r.i += 6
	return rune(v)
}

// clean makes a path fit for an error message: short, and without control characters.
func clean(path string) string {
	path = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return '?'
		}
		return c
	}, path)
	return strings.ToValidUTF8(path[:min(len(path), 2*MaxID)], "")
}
