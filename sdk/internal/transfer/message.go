package transfer

import (
	"encoding/json"
	"fmt"
)

// The types of control messages.
const (
	typeOffer    = "offer"
	typeMore     = "more"
	typeAccept   = "accept"
	typeHeld     = "held"
	typeRefuse   = "refuse"
	typeHave     = "have"
	typeAgain    = "again"
	typeDone     = "done"
	typeVerified = "verified"
	typePause    = "pause"
	typeResume   = "resume"
	typeCancel   = "cancel"
)

// message is every control message; each type has some of the fields.
type message struct {
	Type   string `json:"type"`
	Name   string `json:"name,omitempty"`
	Files  []File `json:"files,omitempty"`
	Count  int    `json:"count,omitempty"`
	Total  *int64 `json:"total,omitempty"` // a pointer, since all files together may be empty
	Again  bool   `json:"again,omitempty"`
	Bulk   bool   `json:"bulk,omitempty"`
	Have   []held `json:"have,omitempty"`
	Reason Reason `json:"reason,omitempty"`
	Hash   string `json:"hash,omitempty"`
	place
}

// place is where in a transfer; pointers, since 0 is a place.
type place struct {
	File  *uint32 `json:"file,omitempty"`
	Chunk *uint32 `json:"chunk,omitempty"`
}

func at(file int, chunk uint32) place {
	f := uint32(file)
	return place{File: &f, Chunk: &chunk}
}

func in(file int) place {
	f := uint32(file)
	return place{File: &f}
}

// held is which chunks of a file the receiver has verified and stored.
type held struct {
	File   uint32 `json:"file"`
	Ranges ranges `json:"ranges"`
	Digest string `json:"digest"`
}

func (m *message) encode() []byte {
	b, err := json.Marshal(m)
	if err != nil {
		panic("transfer: a message has nothing that JSON cannot say: " + err.Error())
	}
	return b
}

func decode(b []byte) (*message, error) {
	if len(b) > MaxText {
		return nil, fault("a control message of %d bytes", len(b))
	}
	m := &message{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%w: %w", fault("a control message that cannot be read"), err)
	}
	return m, nil
}

// room is how much of a control message a list may take; the rest is for the other fields.
const room = MaxText - 2048

// split cuts a list into parts whose JSON fits a message each. There is at least one part.
func split[V any](list []V) (parts [][]V) {
	from, size := 0, 0
	for i, v := range list {
		b, err := json.Marshal(v)
		if err != nil {
			panic("transfer: a list has nothing that JSON cannot say: " + err.Error())
		}
		if size += len(b) + 1; size > room && i > from {
			parts = append(parts, list[from:i])
			from, size = i, len(b)+1
		}
	}
	return append(parts, list[from:])
}

// offerTexts is the offer and what of it needs further messages.
func offerTexts(o Offer) (texts [][]byte) {
	total := o.Total()
	for i, files := range split(o.Files) {
		m := &message{Type: typeMore, Files: files}
		if i == 0 {
			m = &message{
				Type: typeOffer, Name: o.Name, Files: files, Count: len(o.Files), Total: &total, Again: o.Again,
			}
		}
		texts = append(texts, m.encode())
	}
	return texts
}
