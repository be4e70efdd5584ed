package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/pion/webrtc/v4"
)

// scenario is a room to play.
type scenario struct {
	name       string
	publishers int
	receivers  int  // who only receive
	mutual     bool // publishers receive each other
	rooms      int  // that they are spread over; 0 is 1
	direct     bool // without a server
	hop        bool // with a forwarder of datagrams between
}

// scenarios are those that other servers were measured with as well (bench/results/sfu.md).
var scenarios = []scenario{
	{name: "W", publishers: 2, receivers: 40},
	{name: "C", publishers: 8, mutual: true},
	{name: "R", publishers: 2, receivers: 40, rooms: 2},
	{name: "L", publishers: 1, receivers: 12},
	{name: "one", publishers: 1, receivers: 1},
	{name: "direct", publishers: 1, receivers: 1, direct: true},
	{name: "hop", publishers: 1, receivers: 1, direct: true, hop: true},
}

const (
	joinEvery = 37 * time.Millisecond // 40 people within a second and a half
	settling  = 2 * time.Second       // until it is measured: the last joined cost more than they will
)

// perRoom returns how many publishers a room has.
func (s scenario) perRoom() int { return s.publishers / max(s.rooms, 1) }

// streams returns how many tracks arrive somewhere: video and sound of each.
func (s scenario) streams() int {
	n := s.perRoom() * s.receivers
	if s.mutual {
		n += s.publishers * (s.perRoom() - 1)
	}
	return 2 * n
}

// url returns where the person of a number joins.
func (s scenario) url(t *target, role string, number int) string {
	return fmt.Sprintf("%s/room-%d/%s-%d", t.base, number%max(s.rooms, 1), role, number)
}

// run plays it once.
func (s scenario) run(ctx context.Context, p program, window time.Duration) (result, error) {
	r := result{server: p.name, scenario: s.name, people: s.publishers + s.receivers, receivers: s.receivers, streams: s.streams(), direct: s.direct}
	api, err := newAPI()
	if err != nil {
		return r, err
	}
	room := &shared{api: api, epoch: epoch(time.Now())}
	if s.direct {
		r.server = "none"
		if s.hop {
			r.server = "forwarder"
		}
		return r, s.runDirect(ctx, room, window, &r)
	}
	t, err := start(ctx, p)
	if err != nil {
		return r, err
	}
	defer t.stop()
	if r.empty, err = t.resident(); err != nil {
		return r, err
	}
	var people []*person
	defer func() {
		for _, p := range people {
			p.close()
		}
	}()
	people, err = s.gather(ctx, room, t, &r)
	if err != nil {
		return r, err
	}
	return r, r.take(ctx, room, t, people, window)
}

// gather lets everybody join and waits until everybody who receives sees something.
func (s scenario) gather(ctx context.Context, room *shared, t *target, r *result) (people []*person, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	places := 0
	if s.mutual {
		places = s.perRoom() - 1
	}
	for i := range s.publishers {
		p, err := room.newPerson(places, uint16(i+1))
		if err != nil {
			return people, err
		}
		people = append(people, p)
		if err := p.join(ctx, s.url(t, "publisher", i)); err != nil {
			return people, err
		}
	}
	wait(ctx, settling/2)
	if r.published, err = t.resident(); err != nil {
		return people, err
	}
	if err := s.admit(ctx, room, t, &people); err != nil {
		return people, err
	}
	for _, p := range people {
		if places == 0 && p.camera != nil {
			continue
		}
		if err := p.seen(ctx); err != nil {
			return people, err
		}
		r.joins = append(r.joins, time.Duration(p.joined))
		if p.keyed {
			r.keyed++
		}
	}
	return people, nil
}

// admit lets those who only receive join, one after the other, but without waiting for each.
func (s scenario) admit(ctx context.Context, room *shared, t *target, people *[]*person) error {
	failed := make(chan error, s.receivers)
	for i := range s.receivers {
		p, err := room.newPerson(s.perRoom(), 0)
		if err != nil {
			return err
		}
		*people = append(*people, p)
		go func() { failed <- p.join(ctx, s.url(t, "receiver", i)) }()
		wait(ctx, joinEvery)
	}
	for range s.receivers {
		if err := <-failed; err != nil {
			return err
		}
	}
	return nil
}

// runDirect connects a publisher with a receiver, who may have a hop between them.
func (s scenario) runDirect(ctx context.Context, room *shared, window time.Duration, r *result) error {
	from, err := room.newPerson(0, 1)
	if err != nil {
		return err
	}
	defer from.close()
	to, err := room.newPerson(0, 0)
	if err != nil {
		return err
	}
	defer to.close()
	lead := func(sdp string, _ int) string { return sdp }
	if s.hop {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		h, err := newHop(ctx, self)
		if err != nil {
			return err
		}
		defer h.stop()
		lead = h.lead
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	offer, err := from.offer(ctx)
	if err != nil {
		return err
	}
	if err := to.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: lead(offer, 1)}); err != nil {
		return err
	}
	description, err := to.pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	answer, err := to.gathered(ctx, description)
	if err != nil {
		return err
	}
	if err := from.accept(lead(answer, 0)); err != nil {
		return err
	}
	if err := to.seen(ctx); err != nil {
		return err
	}
	r.joins = []time.Duration{time.Duration(to.joined)}
	return r.take(ctx, room, nil, []*person{to}, window)
}

// wait waits, unless ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
