package hub

import (
	"maps"
	"slices"
	"time"
)

// relieve sees to it that less waits for all receivers together. It may be called with a room's mutex held.
func (h *Hub) relieve() {
	if h.relieving.CompareAndSwap(false, true) && !h.run(h.shed) {
		h.relieving.Store(false)
	}
}

// shed cuts the ways to whoever is furthest behind, one after the other, until no more waits than may.
func (h *Hub) shed() {
	defer h.relieving.Store(false)
	for h.wait.Load() > waitMost {
		l := h.behind()
		if l == nil {
			return
		}
		r := l.session.room
		r.mu.Lock()
		for _, o := range slices.Clone(l.line.outs) {
			if o.bytes > 0 {
				h.late.Add(1)
				r.cut(o)
				r.hush(o)
			}
		}
		r.mu.Unlock()
	}
}

// behind returns the link for which most waits, of those that take next to nothing if there are any; nil when little waits for each.
func (h *Hub) behind() (most *link) {
	h.mu.Lock()
	rooms := slices.Collect(maps.Values(h.rooms))
	h.mu.Unlock()
	now, bytes, idle := time.Now(), lossyMost, false
	for _, r := range rooms {
		r.mu.Lock()
		for _, s := range r.sessions {
			for _, l := range s.links {
				n, rests := l.line.bytes, l.line.patience(now) <= 0
				if n > lossyMost && (rests && !idle || rests == idle && n > bytes) {
					most, bytes, idle = l, n, rests
				}
			}
		}
		r.mu.Unlock()
	}
	return most
}
