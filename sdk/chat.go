package parley

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/internal/keyring"
)

// chat says text.
func (s *state) chat(text string) (string, error) {
	if s.me == "" {
		return "", errNotSeated
	}
	id := rand.Text()
	text, err := s.sealChat(id, text)
	if err != nil {
		return "", err
	}
	return id, s.send(&signal.Chat{ID: id, Text: text})
}

// sealChat seals a text of ours, where that is done.
func (s *state) sealChat(id, text string) (string, error) {
	x := s.secrecy
	if x == nil {
		return text, nil
	}
	w := keyring.Words{Text: text, Seat: s.me}
	if me := s.people[s.me]; me != nil {
		w.Name = me.Name
	}
	sealed, err := x.secret.SealChat(rand.Reader, id, w)
	switch {
	case err != nil:
		return "", fmt.Errorf("parley: %w", err)
	case len(sealed) > signal.MaxSealedChat:
		return "", errors.New("parley: a chat message that is too long once it is sealed; say less at once")
	}
	return sealed, nil
}

// resealChat seals a text of ours again, since we say it from another seat now.
func (s *state) resealChat(m *signal.Chat) {
	if s.secrecy == nil {
		return
	}
	if w, ok := s.secrecy.secret.OpenChat(m.ID, m.Text); ok {
		if text, err := s.sealChat(m.ID, w.Text); err == nil {
			m.Text = text
		}
	}
}

// openChat opens a message: its text, and its writer's name as they gave it themselves. It is false for what was not said
// with the room's key, or by somebody else: the server might give the words of one seat to another.
func (s *state) openChat(from, id string, text, name *string) bool {
	if s.secrecy == nil {
		return true
	}
	w, ok := s.secrecy.secret.OpenChat(id, *text)
	if !ok || w.Seat != from {
		return false
	}
	*text, *name = w.Text, w.Name
	return true
}
