package trace

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Part is a piece of a call for the store: its head, whose key is the call's id, or some of its events.
type Part struct {
	// Key is made of letters, digits, '-' and '_'.
	Key string
	// Head is true for the head.
	Head bool
	// Value is what to keep instead of an older one of the same key; empty when nothing is.
	Value []byte
}

func partKey(id string, lane, part int) string {
	return id + "-" + strconv.Itoa(lane) + "-" + strconv.Itoa(part)
}

// Changes returns the parts that changed since it was last called, in the order in which they have to be stored: events
// before the head that counts them.
func (c *Call) Changes() []Part {
	var out []Part
	for i, l := range c.head.Lanes {
		for _, n := range slices.Sorted(maps.Keys(l.dirty)) {
			p := Part{Key: partKey(c.head.ID, i, n)}
			if n < len(l.parts) {
				p.Value = encode(l.parts[n])
			}
			out = append(out, p)
		}
		l.dirty = nil
		if l.Parts != len(l.parts) {
			l.Parts, l.Size, c.dirty = len(l.parts), l.size, true
		}
	}
	if c.dirty {
		c.dirty = false
		out = append(out, Part{Key: c.head.ID, Head: true, Value: encode(&c.head)})
	}
	return out
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("trace: our own types have JSON: " + err.Error())
	}
	return b
}

// Keys returns the keys of the events of a call whose head is given.
func Keys(headValue []byte) ([]string, error) {
	h, err := readHead(headValue)
	if err != nil {
		return nil, err
	}
	var keys []string
	for i, l := range h.Lanes {
		for n := range l.Parts {
			keys = append(keys, partKey(h.ID, i, n))
		}
	}
	return keys, nil
}

func readHead(value []byte) (*head, error) {
	h := new(head)
	if err := json.Unmarshal(value, h); err != nil {
		return nil, fmt.Errorf("trace: a stored call cannot be read: %w", err)
	}
	if len(h.Lanes) > MaxLanes {
		return nil, fmt.Errorf("trace: a stored call has %d lanes", len(h.Lanes))
	}
	for _, l := range h.Lanes {
		if l == nil || l.Parts < 0 || l.Parts > maxParts+1 {
			return nil, fmt.Errorf("trace: a stored call has a lane that cannot be")
		}
	}
	return h, nil
}

// Restore puts a stored call together. get returns the events under a key, nil when there are none: what was lost in a crash
// is missing from the record, and the rest of it stands.
func Restore(headValue []byte, policy Policy, get func(key string) []byte) (*Call, error) {
	h, err := readHead(headValue)
	if err != nil {
		return nil, err
	}
	c := &Call{head: *h, policy: policy, lanes: map[string]*lane{}, last: max(h.Began, h.Ended)}
	for i, l := range h.Lanes {
		c.lanes[l.Seat] = l
		var parts [][]Event
		// The head may be older than the newest part.
		for n := 0; n <= maxParts+1; n++ {
			value := get(partKey(h.ID, i, n))
			if value == nil && n >= l.Parts {
				break
			}
			var events []Event
			if value != nil && json.Unmarshal(value, &events) != nil {
				events = nil
			}
			parts = append(parts, events)
		}
		l.refill(parts)
		for _, part := range l.parts {
			for _, e := range part {
				c.last = max(c.last, e.Got)
			}
		}
		c.last = max(c.last, l.Joined, l.Left)
	}
	return c, nil
}

// Summary is a call in a list.
type Summary struct {
	ID   string `json:"id"`
	Room string `json:"room"`
	// Began and Ended are in milliseconds since 1970; Ended is absent while the call goes on.
	Began int64 `json:"began"`
	Ended int64 `json:"ended,omitempty"`
	// People are the names of those who took part.
	People []string `json:"people"`
	// Level and Text are of the verdict; absent while the call goes on.
	Level Level  `json:"level,omitempty"`
	Text  string `json:"text,omitempty"`
	// Size is about how many bytes its events take where they are stored.
	Size int `json:"-"`
}

// Place says where in a list of calls, the newest first, this one stands: calls after it are asked for by it, whether it is
// still there or not.
func (s Summary) Place() string { return strconv.FormatInt(s.Began, 10) + "." + s.ID }

// At reads a Place; false when it is none.
func At(place string) (s Summary, ok bool) {
	began, id, ok := strings.Cut(place, ".")
	n, err := strconv.ParseInt(began, 10, 64)
	return Summary{ID: id, Began: n}, ok && err == nil
}

// Summarize reads the summary out of a stored head.
func Summarize(headValue []byte) (Summary, error) {
	h, err := readHead(headValue)
	if err != nil {
		return Summary{}, err
	}
	return h.summary(), nil
}

// Summary returns what a list says of the call.
func (c *Call) Summary() Summary { return c.head.summary() }

func (h *head) summary() Summary {
	s := Summary{ID: h.ID, Room: h.Room, Began: h.Began, Ended: h.Ended, People: []string{}}
	if h.Verdict != nil {
		s.Level, s.Text = h.Verdict.Level, h.Verdict.Text
	}
	for _, l := range h.Lanes {
		s.People = append(s.People, l.Name)
		s.Size += l.Size
	}
	return s
}
