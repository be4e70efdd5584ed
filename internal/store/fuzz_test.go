package store

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

// FuzzPlace: whatever stands in a header gives an entry's place or an error.
func FuzzPlace(f *testing.F) {
	for _, s := range []string{"", "1 2", "18446744073709551615 9223372036854775807", "-1 2", "1", "a b", "1 2 3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, _, err := place(message{header: nats.Header{placeHeader: {s}}}); err == nil && !strings.ContainsAny(s, "0123456789") {
			t.Errorf("%q is a place", s)
		}
	})
}

// FuzzSubject: only a journal that is declared takes subjects, and none with wildcards or spaces.
func FuzzSubject(f *testing.F) {
	for _, s := range []string{"chat.a", "chat", "chat.", ".", "chat.*", "chat.>", "chat.a b", "chat.a.b", "no.a", "$JS.API"} {
		f.Add(s)
	}
	s := &Store{journals: map[string]Journal{"chat": {Name: "chat"}}}
	f.Fuzz(func(t *testing.T, subject string) {
		if _, ok := s.journal(subject); ok && (!strings.HasPrefix(subject, "chat.") || strings.ContainsAny(subject, "*> \r\n\t") || strings.Contains(subject, "..")) {
			t.Errorf("%q was accepted", subject)
		}
	})
}
