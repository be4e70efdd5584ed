package room

import (
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// forEver is how long the policy of a room is kept whose history is kept for ever.
const forEver = 100 * 365 * 24 * time.Hour

// keeps reports whether what is said now is kept.
func (r *Room) keeps() bool { return r.cfg.Saves && r.history != signal.HistoryNone }

// History returns the room's policy.
func (r *Room) History() signal.History { return r.history }

// keepHistory obeys a host. What was kept before stays, unless nothing is to be kept.
func (r *Room) keepHistory(s *session, m *signal.KeepHistory) {
	switch {
	case !r.cfg.Saves && m.Policy != signal.HistoryNone:
		r.refuse(s, m.N, signal.CodeBusy, "this server cannot save anything at the moment")
		return
	case m.Policy == r.history:
		return
	}
	r.history, r.changed = m.Policy, true
	if m.Policy == signal.HistoryNone {
		r.events = append(r.events, Event{Kind: EventPurge})
	}
}

// Inside reports whether the session sits in the room itself, and so may read what was said there.
func (r *Room) Inside(id string) bool {
	s := r.find(id)
	return s != nil && s.inside()
}

// Saved says that a message is safe, under that number of the room's history. Everybody inside hears of it.
func (r *Room) Saved(from, id string, seq uint64) {
	if x := r.findSeat(from); x != nil {
		for _, c := range x.chats {
			if c.ID == id {
				c.Unsaved, c.Seq = false, seq
			}
		}
	}
	for _, t := range r.sessions {
		if t.inside() {
			r.send(t, &signal.ChatSaved{From: from, ID: id, Seq: seq})
		}
	}
}

// Recall tells the room, after a restart, of the newest messages of its history, oldest first: what is sent again of
// them is not doubled.
func (r *Room) Recall(list []signal.Kept) {
	for _, k := range list {
		if x := r.findSeat(k.From); x != nil {
			x.remember(&signal.Chat{ID: k.ID, Text: k.Text, From: k.From, Name: k.Name, At: k.At, Seq: k.Seq})
		}
	}
}

// remember keeps a message of the seat, so that it is not doubled.
func (x *seat) remember(c *signal.Chat) {
	x.chats = append(x.chats, c)
	if len(x.chats) > keptChats {
		x.chats = x.chats[1:]
	}
}
