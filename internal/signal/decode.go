package signal

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// Unknown stands for a message from a server that is newer than this package: its number counts, its content does not.
// Only Decode makes it, and only for FromServer.
type Unknown struct{ Header }

// body is what every message type knows of itself for Decode. Header gives the answers of a message without fields.
type body interface {
	Message
	// field reads the value of key, or returns false for a key that it does not know.
	field(r *reader, key string) bool
	// need lists the fields that a sender of that side must give.
	need(from Side) []string
}

func (h *Header) field(*reader, string) bool { return false }
func (h *Header) need(Side) []string         { return nil }

func (h *Header) headField(r *reader, key string) bool {
	switch key {
	case "type":
		h.Type = Type(r.string(MaxID))
	case "n":
		h.N = r.number(maxNumber)
	case "ack":
		h.Ack = r.number(maxNumber)
	default:
		return false
	}
	return true
}

// Decode reads one message as sent by from, which is FromClient or FromServer. b is not kept.
//
// What a client sends is read strictly: sizes first, then UTF-8, JSON, type, fields, values. What a server sends may
// hold fields, values and types that this version does not know, so that an old client lives with a new server; an
// unknown type gives Unknown.
//
// The error is ready to be sent: it names the field by its JSON path and says in words what to do; Re is the number of
// the message where that could be read, else 0. A message with a readable number counts as received all the same.
func Decode(b []byte, from Side) (Message, *Error) {
	m, fault := decode(b, from)
	if fault == nil {
		return m, nil
	}
	if len(b) <= MaxDescription {
		t, n := peekHeader(b, true)
		if Numbered(t) {
			fault.Re = n
		}
	}
	fault.Type = TypeError
	if fault.Field != "" {
		fault.Words = fault.Field + " " + fault.Words
	}
	return nil, fault
}

func decode(b []byte, from Side) (Message, *Error) {
	if len(b) > MaxDescription {
		return nil, tooLarge(len(b), MaxDescription)
	}
	if !utf8.Valid(b) {
		return nil, &Error{Code: CodeMalformed, Words: "the message is not valid UTF-8; send UTF-8 text"}
	}
	t := PeekType(b)
	if len(b) > MaxMessage && t != TypeOffer && t != TypeAnswer {
		return nil, tooLarge(len(b), MaxMessage)
	}
	r := &reader{b: b, lenient: from == FromServer}
	m, _ := makeMessage(t, from).(body)
	if m == nil {
		return r.strange(t, from)
	}
	r.object(append(m.need(from), "type"), func(key string) bool {
		if m.Head().headField(r, key) {
			return true
		}
		if from == FromClient && serverField(t, key) {
			r.malformed("is set by the server; leave it out")
			return true
		}
		return m.field(r, key)
	})
	r.end()
	if r.err == nil {
		r.checkNumber(m.Head(), from)
	}
	if r.err != nil {
		return nil, r.err
	}
	return m, nil
}

// TooLarge returns the error for a message of which a shell has read only the beginning b, because it is too large.
func TooLarge(b []byte) *Error {
	t, n := peekHeader(b, true)
	if !Numbered(t) {
		n = 0
	}
	limit := MaxMessage
	if t == TypeOffer || t == TypeAnswer {
		limit = MaxDescription
	}
	return &Error{
		Header: Header{Type: TypeError}, Re: n, Code: CodeTooLarge,
		Words: "the message is too long; the limit is " + strconv.Itoa(limit) + " bytes",
	}
}

func tooLarge(size, limit int) *Error {
	return &Error{Code: CodeTooLarge, Words: "the message is " + strconv.Itoa(size) + " bytes long; the limit is " +
		strconv.Itoa(limit)}
}

// strange answers a message of no type that from sends.
func (r *reader) strange(t Type, from Side) (Message, *Error) {
	u := &Unknown{}
	lenient := r.lenient
	r.lenient = true
	r.object([]string{"type"}, func(key string) bool { return u.headField(r, key) })
	r.end()
	switch {
	case r.err != nil:
		return nil, r.err
	case lenient:
		return u, nil
	case makeMessage(t, FromServer) != nil:
		return nil, &Error{Code: CodeUnknown, Field: "type", Words: strconv.Quote(string(t)) + " is sent by the server only"}
	}
	return nil, &Error{Code: CodeUnknown, Field: "type", Words: strconv.Quote(clean(string(t))) +
		" is not a message of " + Subprotocol}
}

// end makes sure that nothing follows the object.
func (r *reader) end() {
	if r.err == nil && (r.peek() != 0 || r.i < len(r.b)) {
		r.syntax()
	}
}

func (r *reader) checkNumber(h *Header, from Side) {
	switch {
	case !Numbered(h.Type) && h.N != 0:
		r.enterField("n")
		r.malformed("must be left out: this type is not numbered")
	case Numbered(h.Type) && h.N == 0 && from == FromClient:
		r.enterField("n")
		r.malformed("is missing; number your messages from 1 without gaps")
	}
}

// serverField tells which fields of a message that both sides send belong to the server.
func serverField(t Type, key string) bool {
	switch t {
	case TypeOffer:
		return key == "from" || key == "early"
	case TypeKeys:
		return key == "from" || key == "box"
	case TypeReaction:
		return key == "from"
	case TypeAnswer:
		return key == "from" || key == "places"
	case TypeCandidate, TypeEndOfCandidates, TypeRenegotiate, TypeCloseLink:
		return key == "from"
	case TypeChat:
		return key == "from" || key == "name" || key == "at" || key == "seq" || key == "unsaved"
	}
	return false
}

// Encode returns the JSON text of m and fills in its type. It fails only for what is no message of the protocol.
func Encode(m Message) ([]byte, error) {
	t := TypeOf(m)
	if t == "" {
		return nil, errNoMessage{}
	}
	m.Head().Type = t
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // a relayed description must not grow sixfold
	if err := e.Encode(m); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte{'\n'}), nil
}

type errNoMessage struct{}

func (errNoMessage) Error() string { return "signal: not a message of " + Subprotocol }
