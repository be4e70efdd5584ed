package hub

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/sfu"
)

const (
	// judging is how often the networks of a room's people are judged.
	judging = 2 * time.Second
	// A share of lost packets, or a round trip, is fair from the first on and bad from the second.
	fairLoss, badLoss = 0.04, 0.10
	fairTrip, badTrip = 400 * time.Millisecond, 900 * time.Millisecond
)

// The levels of a network.
const (
	badNetwork = iota
	fairNetwork
	goodNetwork
)

// health is how good somebody's network is, and what is wrong with it.
type health struct {
	Seat  string `json:"seat"`
	Level int    `json:"level"`
	Why   string `json:"why,omitempty"`
}

type networkNow struct {
	Type  string   `json:"type"`
	Seats []health `json:"seats"`
}

// network is what is known of somebody's network. The room's mutex guards it.
type network struct {
	packets, missing uint64 // that were counted when it was judged last
	judged           bool
	next             health // what it was judged to be last
	health                  // what is told
}

// judge takes the statistics of a link, and reports whether what is told has changed: what is judged twice in a row is told.
func (n *network) judge(seat string, st *sfu.PersonStats) bool {
	var packets, missing uint64
	for _, s := range st.Streams {
		packets += s.Packets
		missing += s.Missing
	}
	now := health{Seat: seat, Level: goodNetwork}
	worse := func(level int, why string) {
		if level < now.Level {
			now.Level, now.Why = level, why
		}
	}
	if got, lost := packets-n.packets, missing-n.missing; n.judged && packets > n.packets && missing >= n.missing && got >= 20 {
		worse(rate(float64(lost)/float64(got+lost), fairLoss, badLoss), "upload")
	}
	for _, p := range st.Places {
		if p.State == sfu.Starved {
			worse(badNetwork, "download")
		}
	}
	worse(rate(st.Bandwidth.Loss, fairLoss, badLoss), "loss")
	worse(rate(st.Bandwidth.RTT, fairTrip, badTrip), "delay")
	n.packets, n.missing, n.judged = packets, missing, true
	was := n.health
	if now == n.next {
		n.health = now
	}
	n.next = now
	return n.health != was && (was.Seat != "" || n.Level != goodNetwork)
}

// rate is the level of something of which less is better.
func rate[T cmp.Ordered](v, fair, bad T) int {
	switch {
	case v >= bad:
		return badNetwork
	case v >= fair:
		return fairNetwork
	}
	return goodNetwork
}

// watch judges networks until the hub ends.
func (h *Hub) watch() {
	ticker := time.NewTicker(judging)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-h.base.Done():
			return
		}
		h.mu.Lock()
		rooms := make([]*room, 0, len(h.rooms))
		for _, r := range h.rooms {
			rooms = append(rooms, r)
		}
		h.mu.Unlock()
		for _, r := range rooms {
			r.judge()
		}
	}
}

// judge judges the networks of a room's people, and has everybody told when something has changed.
func (r *room) judge() {
	ctx, cancel := context.WithTimeout(r.hub.base, judging)
	defer cancel()
	people, err := r.hub.plane.People(ctx, r.name)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := false
	for i := range people {
		if l := r.seats[people[i].Seat]; l != nil && l.at == people[i].Link {
			changed = l.network.judge(l.at.Seat, &people[i].Person) || changed
		}
	}
	if changed {
		for _, l := range r.seats {
			l.news.network = true
		}
		r.wake()
	}
}

// networks are those that were judged, with the mutex held.
func (r *room) networks() []health {
	all := []health{}
	for _, l := range r.seats {
		if l.network.Seat != "" {
			all = append(all, l.network.health)
		}
	}
	slices.SortFunc(all, func(a, b health) int { return cmp.Compare(a.Seat, b.Seat) })
	return all
}

var _ Plane = (*mediaserver.Server)(nil)
