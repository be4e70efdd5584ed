package keyring

import (
	"encoding/json"
	"math"
)

const (
	// maxList and maxWord bound what somebody says of the ends of a link.
	maxList = 16
	maxWord = 256
	// maxNumber is the greatest number that all clients can count to.
	maxNumber = 1<<53 - 1
)

// words are what stands in a box. A field that its type does not know is absent.
type words struct {
	N    uint64   `json:"n"`
	Type string   `json:"type"`
	KID  *uint64  `json:"kid,omitempty"`
	Key  string   `json:"key,omitempty"`
	Seat string   `json:"seat,omitempty"`
	Name string   `json:"name,omitempty"`
	Link string   `json:"link,omitempty"`
	Own  []string `json:"own,omitempty"`
	Peer []string `json:"peer,omitempty"`
}

// The types of words.
const (
	wordsKey  = "key"
	wordsHave = "have"
	wordsLink = "link"
)

// readWords reads what was in a box; false for what makes no sense. Of what is wrong with one field nothing hangs on
// the others: the number counts all the same.
func readWords(b []byte) (w words, ok bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(b, &fields) != nil || fields == nil {
		return w, false
	}
	n, ok := number(fields["n"])
	if !ok {
		return w, false
	}
	w.N = n
	if kid, ok := number(fields["kid"]); ok {
		w.KID = &kid
	}
	for name, to := range map[string]*string{"type": &w.Type, "key": &w.Key, "seat": &w.Seat, "name": &w.Name, "link": &w.Link} {
		if raw, there := fields[name]; there && json.Unmarshal(raw, to) != nil {
			*to = ""
		}
	}
	w.Own, w.Peer = list(fields["own"]), list(fields["peer"])
	return w, true
}

// number reads a whole number that is not negative.
func number(raw json.RawMessage) (uint64, bool) {
	var f *float64
	if json.Unmarshal(raw, &f) != nil || f == nil || *f < 0 || *f > maxNumber || *f != math.Trunc(*f) {
		return 0, false
	}
	return uint64(*f), true
}

// list reads a short list of texts; nil when it is none.
func list(raw json.RawMessage) []string {
	var all []*string
	if json.Unmarshal(raw, &all) != nil || len(all) > maxList {
		return nil
	}
	out := make([]string, 0, len(all))
	for _, one := range all {
		if one == nil || len(*one) > maxWord {
			return nil
		}
		out = append(out, *one)
	}
	return out
}
