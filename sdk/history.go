package parley

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// History says for how long a room's chat is kept.
type History = signal.History

// Policies of History.
const (
	HistoryNone    = signal.HistoryNone
	HistorySession = signal.HistorySession
	HistoryForever = signal.HistoryForever
)

// recall is a question for the past that is not answered yet.
type recall struct {
	*request
	messages []Chat
	more     bool
}

// History returns up to limit messages that were said before the one with the number before (Chat.Seq), oldest first;
// before 0 returns the newest, and limit 0 as many as fit, 100 at most. more is true when there are older ones.
func (r *Room) History(ctx context.Context, before uint64, limit int) (messages []Chat, more bool, err error) {
	var q *recall
	if err := r.do(ctx, func(s *state) error {
		if s.me == "" {
			return errNotSeated
		}
		m := &signal.HistoryAsk{Before: before, Limit: min(max(limit, 0), signal.MaxHistory)}
		if err := s.send(m); err != nil {
			return err
		}
		q = &recall{request: newRequest()}
		s.recalls[m.N] = q
		return nil
	}); err != nil {
		return nil, false, err
	}
	if err := q.request.wait(ctx); err != nil {
		return nil, false, err
	}
	return q.messages, q.more, nil
}

// KeepHistory says for how long the room's chat is kept from now on. What is not to be kept any more is deleted. Hosts
// only.
func (r *Room) KeepHistory(ctx context.Context, policy History) error {
	return r.ask(ctx, &signal.KeepHistory{Policy: policy})
}

// maxSaid is how many messages are remembered, to drop those that come twice.
const maxSaid = 512

// said is a message that came.
type said struct{ from, id string }

// chatted takes a message of the conversation. A server that is killed after it passed a message on, and before that was
// on its disk, forgets it; its sender says it again then, and it is not to be heard again.
func (s *state) chatted(m *signal.Chat) {
	if !s.openChat(m.From, m.ID, &m.Text, &m.Name) {
		return
	}
	key := said{from: m.From, id: m.ID}
	if slices.Contains(s.said, key) {
		return
	}
	s.said = append(s.said[max(0, len(s.said)-maxSaid+1):], key)
	s.emit(Chat{
		ID: m.ID, From: m.From, Name: m.Name, Text: m.Text, At: time.UnixMilli(m.At), Mine: s.mine(m.From),
		Seq: m.Seq, Unsaved: m.Unsaved,
	})
}

// sayAgain says what was said in a session that was lost before the server had acknowledged it. Under its old id: who
// heard it already does not hear it twice.
func (s *state) sayAgain() {
	list := s.unsaid
	s.unsaid = nil
	for _, m := range list {
		m.N, m.Ack = 0, 0
		s.resealChat(m)
		if s.send(m) != nil {
			return // an overflow has ended the room
		}
	}
}

// recalled takes messages of the past: the answer to a question, or what the server tells who joins.
func (s *state) recalled(m *signal.HistoryAnswer) {
	messages := make([]Chat, 0, len(m.Messages))
	for _, k := range m.Messages {
		if !s.openChat(k.From, k.ID, &k.Text, &k.Name) {
			continue
		}
		messages = append(messages, Chat{
			ID: k.ID, From: k.From, Name: k.Name, Text: k.Text, At: time.UnixMilli(k.At), Mine: s.mine(k.From), Seq: k.Seq,
		})
	}
	q := s.recalls[m.Re]
	if q == nil {
		s.emit(Recalled{Messages: messages, More: m.More})
		return
	}
	delete(s.recalls, m.Re)
	q.messages, q.more = messages, m.More
	q.settle(nil)
}

func (s *state) mine(seat string) bool { return seat != "" && seat == s.me }

// forgetRecalls settles the questions that a lost session took along.
func (s *state) forgetRecalls() {
	for _, q := range s.recalls {
		q.settle(errors.New("parley: the session was lost before the answer came; ask again"))
	}
	clear(s.recalls)
}
