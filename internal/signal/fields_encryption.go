package signal

import (
	"strconv"
	"strings"
)

func (m *Encrypt) need(Side) []string { return []string{"identity"} }

func (m *Encrypt) field(r *reader, key string) bool {
	if key != "identity" {
		return false
	}
	m.Identity = r.identity()
	return true
}

func (m *Keys) need(from Side) []string {
	if from == FromServer {
		return []string{"from", "box"}
	}
	return []string{"boxes"}
}

func (m *Keys) field(r *reader, key string) bool {
	switch key {
	case "boxes":
		r.array(MaxBoxes, func() {
			var b Box
			b.read(r)
			m.Boxes = append(m.Boxes, b)
		})
	case "from":
		m.From = r.id()
	case "box":
		m.Box = r.base64(MaxBox)
	default:
		return false
	}
	return true
}

func (b *Box) read(r *reader) {
	r.object([]string{"to", "box"}, func(key string) bool {
		switch key {
		case "to":
			b.To = r.id()
		case "box":
			b.Box = r.base64(MaxBox)
		default:
			return false
		}
		return true
	})
}

// identity reads what says that a client encrypts.
func (r *reader) identity() string { return r.base64(MaxIdentity) }

// base64 reads base64url without padding (RFC 4648 §5), not empty.
func (r *reader) base64(limit int) string {
	s := r.string(limit)
	if r.err != nil {
		return ""
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			r.malformed("must be base64url")
			return ""
		}
	}
	if s == "" {
		r.malformed("must not be empty")
	}
	return s
}

// chat reads a chat text, which may be longer when it is ciphertext.
func (r *reader) chat() string {
	s := r.prose(MaxSealedChat)
	if r.err == nil && len(s) > MaxChat && !strings.HasPrefix(s, SealedChat) {
		r.fail(CodeTooLarge, "is "+strconv.Itoa(len(s))+" bytes long; the limit is "+strconv.Itoa(MaxChat))
	}
	return s
}
