package mediaserver

import "time"

// timer is when a transport or a room is due. It lies in either, so that setting it allocates nothing.
type timer struct {
	at     time.Time // zero while it is not set
	place  int       // in the heap, plus 1
	client *client
	room   *room
}

// timers is a heap, the first first; of one moment, transports before rooms.
type timers []*timer

// next returns when the first is due, zero when none is.
func (h timers) next() time.Time {
	if len(h) == 0 {
		return time.Time{}
	}
	return h[0].at
}

// due takes out one that is due, nil when none is.
func (h *timers) due(now time.Time) *timer {
	if len(*h) == 0 || now.Before((*h)[0].at) {
		return nil
	}
	t := (*h)[0]
	h.set(t, time.Time{})
	return t
}

// set sets, changes or, with the zero time, unsets a timer.
func (h *timers) set(t *timer, at time.Time) {
	t.at = at
	switch {
	case at.IsZero() && t.place == 0:
		return
	case at.IsZero():
		i, last := t.place-1, len(*h)-1
		h.swap(i, last)
		(*h)[last] = nil
		*h = (*h)[:last]
		t.place = 0
		if i < last {
			h.down(h.up(i))
		}
	case t.place == 0:
		*h = append(*h, t)
		t.place = len(*h)
		h.up(t.place - 1)
	default:
		h.down(h.up(t.place - 1))
	}
}

func (h timers) before(i, j int) bool {
	a, b := h[i], h[j]
	if a.at.Equal(b.at) {
		return a.client != nil && b.client == nil
	}
	return a.at.Before(b.at)
}

func (h timers) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i+1, j+1
}

func (h timers) up(i int) int {
	for i > 0 && h.before(i, (i-1)/2) {
		h.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	return i
}

func (h timers) down(i int) {
	for {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(h) && h.before(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}
