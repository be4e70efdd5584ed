package parley

import (
	"encoding/json"
	"sync"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/internal/keyring"
)

// boxes are sealed words on their way from a transport to the owner. It is a leaf, and bounded: what is too much is lost,
// as what is said past the server may be.
type boxes struct {
	mu   sync.Mutex
	list []string
}

// put keeps a box. It reports whether the owner has to be told: once for all that wait.
func (b *boxes) put(box string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(box) > signal.MaxBox || len(b.list) >= signal.MaxBoxes {
		return false
	}
	b.list = append(b.list, box)
	return len(b.list) == 1
}

func (b *boxes) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.list
	b.list = nil
	return list
}

// tellBox says a box past the server, by whatever way there is.
func (s *state) tellBox(e keyring.Tell) {
	b, err := json.Marshal(struct {
		Type string `json:"type"`
		Box  string `json:"box"`
	}{"keys", e.Box})
	if err != nil {
		return // letters always fit
	}
	if main := s.links[e.Session]; main != nil {
		for _, l := range main.each() {
			if l.up && l.tell(string(b)) {
				return
			}
		}
	}
	if t := s.hub.main; t != nil && t.up {
		t.say(hubMessage{Type: "tell", To: e.Seat, Message: b})
	}
}

// boxCame takes a box, by whatever way it came.
func (s *state) boxCame(session, box string) {
	if s.secrecy != nil && box != "" && len(box) <= signal.MaxBox {
		s.secrecy.ring.Receive(s.now, session, box)
	}
}
