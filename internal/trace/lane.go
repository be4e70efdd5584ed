package trace

import (
	"slices"

	"github.com/parley-rtc/parley/internal/signal"
)

const (
	// partSize is how many events are stored together: a change of one writes a part again, so it is small.
	partSize = 128
	// partBytes is how many bytes of them at most, about: JSON can make several times as much of a text.
	partBytes = 64 << 10
	// maxParts is when a lane is written anew without the holes that thinning left.
	maxParts = 3 * (MaxEvents + maxOwn) / partSize
)

// lane is what one person saw, and what the server saw of them.
type lane struct {
	Person
	Joined int64   `json:"joined"`
	Left   int64   `json:"left,omitempty"`
	Clocks []Clock `json:"clocks,omitempty"`
	// Omitted counts the events that were thinned out.
	Omitted int `json:"omitted,omitempty"`
	// Parts is how many parts the events are stored in.
	Parts int `json:"parts"`
	// Size is about how many bytes they take, as it was when a part was added.
	Size int `json:"size,omitempty"`

	parts  [][]Event
	dirty  map[int]bool // parts to store
	next   int          // the number of the next event
	own    int          // events of the server
	relays int          // those of them that are its relay's
	others int          // reported events
	size   int          // their bytes
	gone   bool         // nothing more is taken: Left
}

// add takes an event. It returns false when there is no room for it.
func (l *lane) add(e Event) bool {
	if e.own() {
		if l.own >= maxOwn && e.Kind != Left || e.relaying() && l.relays >= maxRelay {
			l.Omitted++
			return false
		}
		l.countOwn(&e)
	} else {
		for l.others >= MaxEvents || l.size+e.size() > maxLaneSize {
			if !l.thin(weight(e.Kind)) {
				l.Omitted++
				return false
			}
		}
		l.others++
		l.size += e.size()
	}
	e.N = l.next
	l.next++
	l.touch(l.put(e))
	if len(l.parts) > maxParts {
		l.pack()
	}
	return true
}

func (l *lane) countOwn(e *Event) {
	l.own++
	if e.relaying() {
		l.relays++
	}
}

// put adds an event to the last part, or to a new one, and returns which.
func (l *lane) put(e Event) int {
	last := len(l.parts) - 1
	if last < 0 || len(l.parts[last]) >= partSize || sizeOf(l.parts[last]) > partBytes {
		last++
		l.parts = append(l.parts, nil)
	}
	l.parts[last] = append(l.parts[last], e)
	return last
}

func sizeOf(part []Event) (n int) {
	for i := range part {
		n += part[i].size()
	}
	return n
}

// weight says how much an event would be missed: of the lightest there is most.
func weight(kind signal.ReportKind) int {
	switch kind {
	case signal.ReportQuality:
		return 0
	case signal.ReportPairTried, signal.ReportTransfer, signal.ReportNote, signal.ReportDevice:
		return 1
	}
	return 2
}

// thin drops the oldest of the lightest events, none that weighs more than newcomer. A newcomer of the heaviest kind
// drops lighter ones only: a client that floods its lane keeps the beginning of it.
func (l *lane) thin(newcomer int) bool {
	for w := 0; w <= min(newcomer, 1); w++ {
		for i, part := range l.parts {
			at := slices.IndexFunc(part, func(e Event) bool { return !e.own() && weight(e.Kind) == w })
			if at < 0 {
				continue
			}
			l.size -= part[at].size()
			l.parts[i] = slices.Delete(part, at, at+1)
			l.touch(i)
			l.others--
			l.Omitted++
			return true
		}
	}
	return false
}

// pack writes the lane anew without holes. An event never moves to a later part, so that storing the parts in order
// loses none, whenever it is interrupted.
func (l *lane) pack() {
	all, before := l.events(), len(l.parts)
	l.parts = nil
	for _, e := range all {
		l.put(e)
	}
	for i := range before {
		l.touch(i)
	}
}

func (l *lane) touch(part int) {
	if l.dirty == nil {
		l.dirty = map[int]bool{}
	}
	l.dirty[part] = true
}

// events are those of all parts, in the order in which the server heard of them.
func (l *lane) events() []Event { return slices.Concat(l.parts...) }

// refill takes the parts that were stored. After an interrupted pack an event may be in two of them.
func (l *lane) refill(parts [][]Event) {
	all := slices.Concat(parts...)
	slices.SortStableFunc(all, func(a, b Event) int { return a.N - b.N })
	all = slices.CompactFunc(all, func(a, b Event) bool { return a.N == b.N })
	l.parts, l.own, l.relays, l.others, l.size = nil, 0, 0, 0, 0
	for _, e := range all {
		switch {
		case e.own() && l.own < maxOwn+1:
			l.countOwn(&e)
		case !e.own() && l.others < MaxEvents:
			l.others++
			l.size += e.size()
		default:
			continue
		}
		l.put(e)
		l.next = e.N + 1
	}
	for i := range max(len(parts), len(l.parts)) {
		if i >= len(parts) || i >= len(l.parts) || len(parts[i]) != len(l.parts[i]) {
			l.touch(i)
		}
	}
	l.gone = l.Left != 0
}
