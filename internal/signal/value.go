package signal

import (
	"strconv"
	"strings"
	"unicode"
)

// maxFragment is the longest ICE username fragment (RFC 8839 §5.4).
const maxFragment = 256

// ValidRoom reports whether name can be a room's: 1 to MaxRoom lower-case letters, digits, '-' and '_'.
func ValidRoom(name string) bool {
	if name == "" || len(name) > MaxRoom {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// room reads a room name.
func (r *reader) room() string {
	s := r.string(MaxRoom)
	if r.err == nil && !ValidRoom(s) {
		r.malformed("must be 1 to " + strconv.Itoa(MaxRoom) + " of lower-case letters, digits, '-' and '_'")
	}
	return s
}

// id reads an identifier: visible ASCII, not empty.
func (r *reader) id() string {
	s := r.visible(MaxID)
	if r.err == nil && s == "" {
		r.malformed("must not be empty")
	}
	return s
}

// token reads a token or secret; empty means none.
func (r *reader) token() string { return r.visible(MaxToken) }

func (r *reader) visible(limit int) string {
	s := r.string(limit)
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			r.malformed("must be visible ASCII without spaces")
			return ""
		}
	}
	return s
}

// name reads a display name and drops the spaces around it.
func (r *reader) name() string {
	s := strings.TrimSpace(r.string(4 * MaxName))
	switch {
	case r.err != nil:
		return ""
	case s == "":
		r.malformed("must not be empty; type a name")
	case len(s) > MaxName:
		r.fail(CodeTooLarge, "is "+strconv.Itoa(len(s))+" bytes long; the limit is "+strconv.Itoa(MaxName))
	case strings.ContainsFunc(s, notInName):
		r.malformed("must not hold control characters")
	}
	return s
}

// notInName finds characters that break or fake a line of text: controls, line separators, direction overrides.
func notInName(c rune) bool {
	return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' ||
		c >= '\u202a' && c <= '\u202e' || c >= '\u2066' && c <= '\u2069'
}

// prose reads text that is not empty and holds no control characters but line ends and tabs.
func (r *reader) prose(limit int) string {
	s := r.string(limit)
	switch {
	case r.err != nil:
	case s == "":
		r.malformed("must not be empty")
	case strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\r' && c != '\t' }):
		r.malformed("must not hold control characters other than line ends and tabs")
	}
	return s
}

// sdp reads a session description; its size is bounded by the message's.
func (r *reader) sdp() string {
	s := r.string(MaxDescription)
	if r.err == nil && s == "" {
		r.malformed("must not be empty")
	}
	return s
}

// enum reads one of values; any short string when the reader is lenient.
func enum[T ~string](r *reader, values ...T) T {
	s := T(r.string(MaxToken))
	if r.err != nil || r.lenient {
		return s
	}
	names := make([]string, 0, len(values))
	for _, v := range values {
		if s == v {
			return s
		}
		names = append(names, string(v))
	}
	r.malformed("must be one of " + strings.Join(names, ", "))
	return ""
}

func (r *reader) source() Source {
	return enum(r, SourceMicrophone, SourceCamera, SourceScreen, SourceScreenAudio)
}

func (r *reader) role() Role { return enum(r, RoleHost, RoleSpeaker, RoleListener, RoleGuestCall) }
