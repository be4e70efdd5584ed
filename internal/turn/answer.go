package turn

import (
	"time"

	"github.com/pion/stun/v4"
)

// Error codes of RFC 8489 §14.8 and RFC 8656 §19.
const (
	codeBadRequest           = 400
	codeUnauthorized         = 401
	codeForbidden            = 403
	codeUnknownAttribute     = 420
	codeAllocationMismatch   = 437
	codeStaleNonce           = 438
	codeFamilyNotSupported   = 440
	codeWrongCredentials     = 441
	codeUnsupportedTransport = 442
	codeFamilyMismatch       = 443
	codeQuotaReached         = 486
	codeInsufficientCapacity = 508
)

// maxAnswers bounds the memory of answers. When more requests than that come within answerLifetime, a retransmission finds its
// answer gone and is handled as new, which costs its client one try at most.
const maxAnswers = 1024

// answerKey is what makes two requests the same transaction (RFC 8489 §6.3.1).
type answerKey struct {
	client Client
	id     [stun.TransactionIDSize]byte
}

type answer struct {
	key   answerKey
	until time.Time
	raw   []byte
}

// answers remembers the answers to requests that must not be carried out twice (Allocate, Refresh): the same transaction gets
// the same answer. It is a ring with an index.
type answers struct {
	ring  []answer
	next  int
	index map[answerKey]int
}

func newAnswers() answers {
	return answers{ring: make([]answer, maxAnswers), index: make(map[answerKey]int)}
}

func (a *answers) get(now time.Time, key answerKey) []byte {
	i, ok := a.index[key]
	if !ok || now.After(a.ring[i].until) {
		return nil
	}
	return a.ring[i].raw
}

func (a *answers) put(now time.Time, key answerKey, raw []byte) {
	i, ok := a.index[key]
	if !ok {
		i = a.next
		a.next = (a.next + 1) % len(a.ring)
		if old := &a.ring[i]; old.raw != nil {
			delete(a.index, old.key)
		}
		a.index[key] = i
	}
	a.ring[i] = answer{key: key, until: now.Add(answerLifetime), raw: append([]byte(nil), raw...)}
}

// begin starts the answer to r in the server's one reply message.
func (s *Server) begin(r *request, class stun.MessageClass) *stun.Message {
	m := s.reply
	m.Reset()
	m.Type = stun.NewType(r.msg.Type.Method, class)
	m.TransactionID = r.msg.TransactionID
	m.WriteHeader()
	return m
}

// finish signs the answer as its request was signed and puts it out.
func (s *Server) finish(r *request, m *stun.Message) {
	if r.key != nil {
		r.sign(m)
	}
	if r.msg.Contains(stun.AttrFingerprint) {
		addFingerprint(m)
	}
	s.send(r.client, m.Raw)
	if r.keep {
		s.answers.put(r.now, r.answerKey(), m.Raw)
	}
}

// send puts out a copy of a message for a client.
func (s *Server) send(c Client, raw []byte) {
	payload := s.out.room(len(raw))
	copy(payload, raw)
	s.out.add(Event{Kind: ToClient, Client: c, Payload: payload})
}

// refuse answers with an error code, without words: reason phrases would only make the answer bigger than the request. To
// those who did not authenticate it counts against the limit of their source.
func (s *Server) refuse(r *request, code int) {
	s.stats.Refused++
	if r.key != nil && r.msg.Type.Method == stun.MethodAllocate {
		s.out.facts = append(s.out.facts, Fact{Kind: Refused, Session: r.grant.Session, Client: r.client, Code: code})
	}
	if r.key == nil && r.client.Datagram() && !s.errorLimit.allow(r.now, r.client.Addr.Addr()) {
		s.stats.Suppressed++
		return
	}
	m := s.begin(r, stun.ClassErrorResponse)
	m.Add(stun.AttrErrorCode, []byte{0, 0, byte(code / 100), byte(code % 100)})
	switch code {
	case codeUnauthorized, codeStaleNonce:
		m.Add(stun.AttrRealm, []byte(s.cfg.Realm))
		m.Add(stun.AttrNonce, s.nonces.issue(r.now, r.client))
	case codeUnknownAttribute:
		m.Add(stun.AttrUnknownAttributes, r.unknown())
	}
	s.finish(r, m)
}
