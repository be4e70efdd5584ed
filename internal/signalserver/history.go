package signalserver

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// Limits of what waits for the keeper.
const (
	// maxSaving is how many messages of a room wait to be saved, and their senders' acknowledgements with them; of more,
	// the oldest stay unsaved. A burst of everybody in a room of two fits in.
	maxSaving = 2 * messageBurst
	// maxReads is how many histories a shard reads at the same time.
	maxReads = 64
	// historyBytes is how long the messages of one answer may be together, as JSON.
	historyBytes = 60 << 10
	retrySave    = 2 * time.Second
	retrySaveMax = time.Minute
)

// chronicle is what a room says on its way to the keeper.
type chronicle struct {
	saving []*saving
	retry  time.Time     // of what failed; zero when nothing did
	wait   time.Duration // before the next retry

	cold  bool    // of before a restart: its newest messages have to be recalled before anything is said
	asked bool    // they are on their way
	heard []heard // what was said meanwhile
}

// saving is a message that is not safe yet.
type saving struct {
	chat    *signal.Chat
	session string // that sent it, as its message number
	number  uint64
	failed  bool // waits for the next retry
}

// heard is a chat message that waits for the memory to come back.
type heard struct {
	session string
	message *signal.Chat
}

// chat obeys a chat message. A room of before a restart recalls first what it has heard already.
func (sh *shard) chat(s *session, m *signal.Chat) {
	h := s.hall
	c := h.chronicle
	if c == nil || !c.cold || !h.Inside(s.id) || len(c.heard) >= maxSaving {
		sh.say(s, m)
		return
	}
	c.heard = append(c.heard, heard{session: s.id, message: m})
	s.hold()
	if c.asked {
		return
	}
	c.asked = true
	sh.server.cfg.Keeper.Read(h.name, 0, signal.MaxHistory, func(list []Said, _ bool, err error) {
		sh.do(command{kind: cmdCall, call: func() { h.recall(list, err) }})
	})
}

// say lets the room obey a chat message.
func (sh *shard) say(s *session, m *signal.Chat) {
	sh.number = m.N
	s.hall.Handle(sh.now, s.id, m)
	sh.happened(s.hall) // before anything is acknowledged
}

// recall gives a room of before a restart its memory, and lets it hear what waited for it.
func (h *hall) recall(list []Said, err error) {
	if err != nil {
		h.shard.server.log.Warn("what was said before the restart cannot be read", "room", h.name, "error", err)
	}
	h.Recall(kept(list, signal.MaxHistory<<16))
	c := h.chronicle
	if c == nil {
		return // purged meanwhile
	}
	waiting := c.heard
	c.cold, c.heard = false, nil
	for _, w := range waiting {
		if s := h.shard.sessions[w.session]; s != nil && s.hall == h {
			h.shard.say(s, w.message)
			s.hold()
			s.schedule()
		}
	}
	h.shard.settle(h)
}

// keepChat has a message saved. Its sender gets no acknowledgement before: should we end now, it says it again.
func (h *hall) keepChat(session string, number uint64, m *signal.Chat) {
	if h.chronicle == nil {
		h.chronicle = &chronicle{}
	}
	h.said = true
	c := h.chronicle
	x := &saving{chat: m, session: session, number: number, failed: !c.retry.IsZero()}
	c.saving = append(c.saving, x)
	if len(c.saving) > maxSaving {
		h.shard.server.log.Warn("too much waits to be saved; the oldest message stays unsaved", "room", h.name)
		c.saving = slices.Delete(c.saving, 0, 1)
	}
	if !x.failed {
		h.save(x)
	}
	if s := h.shard.sessions[session]; s != nil {
		s.hold()
	}
}

func (h *hall) save(x *saving) {
	m := x.chat
	b, err := json.Marshal(signal.Kept{ID: m.ID, Text: m.Text, From: m.From, Name: m.Name, At: m.At})
	if err != nil {
		panic("signalserver: a message that is no JSON: " + err.Error())
	}
	sh := h.shard
	sh.server.cfg.Keeper.Append(h.name, m.From+" "+m.ID, b, func(seq uint64, err error) {
		sh.do(command{kind: cmdCall, call: func() { h.saved(x, seq, err) }})
	})
}

// saved hears what became of a message.
func (h *hall) saved(x *saving, seq uint64, err error) {
	c := h.chronicle
	if c == nil || !slices.Contains(c.saving, x) {
		return // purged meanwhile
	}
	if err != nil {
		x.failed = true
		if c.retry.IsZero() {
			c.wait = min(max(2*c.wait, retrySave), retrySaveMax)
			c.retry = h.shard.now.Add(c.wait/2 + rand.N(c.wait))
			h.shard.agenda.at(h, c.retry)
		}
	} else {
		c.wait = 0
		c.saving = slices.DeleteFunc(c.saving, func(y *saving) bool { return x == y })
		h.Saved(x.chat.From, x.chat.ID, seq)
	}
	if s := h.shard.sessions[x.session]; s != nil {
		s.hold()
		s.acknowledge()
	}
	h.shard.settle(h)
}

// retry saves again what failed, in order, when that is due.
func (h *hall) retry(now time.Time) {
	c := h.chronicle
	if c == nil || c.retry.IsZero() {
		return
	}
	if now.Before(c.retry) {
		h.shard.agenda.at(h, c.retry)
		return
	}
	c.retry = time.Time{}
	for _, x := range c.saving {
		if x.failed {
			x.failed = false
			h.save(x)
		}
	}
}

// purge forgets what was said in the room.
func (h *hall) purge() {
	c := h.chronicle
	h.chronicle = nil
	if !h.said {
		return
	}
	h.said = false
	h.shard.server.cfg.Keeper.Purge(h.name)
	if c == nil {
		return
	}
	for _, x := range c.saving {
		if s := h.shard.sessions[x.session]; s != nil {
			s.hold()
		}
	}
}

// hold keeps those of the session's chat messages unacknowledged that are not safe yet, as long as the keeper works.
func (s *session) hold() {
	var oldest uint64
	if c := s.hall.chronicle; c != nil {
		for _, w := range c.heard {
			if w.session == s.id {
				oldest = w.message.N
				break
			}
		}
		for _, x := range c.saving {
			if x.session == s.id && !x.failed {
				oldest = x.number
				break
			}
		}
	}
	s.seq.Hold(s.shard.now, oldest)
}

// history answers somebody who wants to read what was said.
func (sh *shard) history(s *session, m *signal.HistoryAsk) {
	switch {
	case !s.hall.Inside(s.id):
		s.error(m.N, signal.CodeOrder, "join first, then you can read what was said")
	case !s.hall.said:
		s.send(&signal.HistoryAnswer{Re: m.N, Messages: []signal.Kept{}})
	case sh.reads >= maxReads:
		s.error(m.N, signal.CodeBusy, "too many read now; try again in a moment")
	default:
		limit := m.Limit
		if limit == 0 {
			limit = signal.MaxHistory
		}
		sh.readHistory(s, m.N, m.Before, limit)
	}
}

// tellHistory sends the newest messages to somebody who has just joined.
func (sh *shard) tellHistory(s *session) {
	switch {
	case !s.hall.said || s.untold:
	case sh.reads < maxReads:
		sh.readHistory(s, 0, 0, signal.MaxHistory)
	default:
		s.untold = true
		sh.untold = append(sh.untold, s)
	}
}

// tellNext goes on with those who had to wait: after a restart everybody comes back at once.
func (sh *shard) tellNext() {
	for len(sh.untold) > 0 && sh.reads < maxReads {
		s := sh.untold[0]
		sh.untold[0] = nil
		sh.untold = sh.untold[1:]
		s.untold = false
		if !s.over && s.hall.Inside(s.id) {
			sh.tellHistory(s)
		}
	}
}

func (sh *shard) readHistory(s *session, re, before uint64, limit int) {
	sh.reads++
	sh.server.cfg.Keeper.Read(s.hall.name, before, limit, func(list []Said, more bool, err error) {
		sh.do(command{kind: cmdCall, call: func() {
			sh.reads--
			sh.tellNext()
			sh.answerHistory(s, re, list, more, err)
		}})
	})
}

func (sh *shard) answerHistory(s *session, re uint64, list []Said, more bool, err error) {
	switch {
	case s.over || !s.hall.Inside(s.id):
		return
	case err != nil:
		if re > 0 {
			s.error(re, signal.CodeBusy, "what was said cannot be read now; try again later")
		}
	case re > 0 || len(list) > 0:
		messages := kept(list, historyBytes)
		s.send(&signal.HistoryAnswer{Re: re, Messages: messages, More: more || len(messages) < len(list)})
	}
	s.schedule()
	sh.settle(s.hall)
}

var errNotKept = errors.New("signalserver: not a message of a history")

// kept reads messages of a history: the newest, as many as fit into so many bytes.
func kept(list []Said, limit int) []signal.Kept {
	messages := make([]signal.Kept, 0, len(list))
	for _, x := range slices.Backward(list) {
		if limit -= len(x.Message) + 32; limit < 0 && len(messages) > 0 {
			break
		}
		if k, err := readKept(x); err == nil {
			messages = append(messages, k)
		}
	}
	slices.Reverse(messages)
	return messages
}

func readKept(x Said) (signal.Kept, error) {
	var k signal.Kept
	if err := json.Unmarshal(x.Message, &k); err != nil {
		return k, err
	}
	if k.ID == "" || k.From == "" {
		return k, errNotKept
	}
	k.Seq = x.Seq
	return k, nil
}
