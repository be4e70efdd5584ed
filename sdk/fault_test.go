package parley

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/netsim"
)

// seeds is how many seeds each fault is provoked with: PARLEY_SEEDS, 3 without it, 1 with -short.
func seeds() int {
	if n, err := strconv.Atoi(os.Getenv("PARLEY_SEEDS")); err == nil {
		return n
	}
	if testing.Short() {
		return 1
	}
	return 3
}

// fault is a row of the table of what a call survives.
type fault struct {
	name    string
	options Options
	prepare func(w *world, p *peer) // before the call
	provoke func(w *world, p *peer) // p is whom it hits; returns when the fault is over, as far as it ends
	within  time.Duration           // generous: media must be back by then
}

func TestFaults(t *testing.T) {
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			var gaps []time.Duration
			for seed := range seeds() {
				ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { gaps = append(gaps, f.run(t, uint64(seed))) })
				})
				if !ok {
					return
				}
			}
			if len(gaps) == 0 {
				return
			}
			slices.Sort(gaps)
			t.Logf("%d seeds: media gap p50 %v, p95 %v, most %v", len(gaps), gaps[len(gaps)/2].Round(time.Millisecond),
				gaps[len(gaps)*95/100].Round(time.Millisecond), gaps[len(gaps)-1].Round(time.Millisecond))
		})
	}
}

// run provokes a fault in a call and returns the longest gap in anybody's media.
func (f fault) run(t *testing.T, seed uint64) time.Duration {
	w := newWorld(t, seed)
	hit := w.people[w.rand.IntN(2)]
	if f.prepare != nil {
		f.prepare(w, hit)
	}
	w.meet(f.options)
	end := w.chatter()
	pass(6*time.Second + time.Duration(w.rand.IntN(1000))*time.Millisecond) // spares are up by now
	for _, p := range w.people {
		p.mark()
	}
	f.provoke(w, hit)
	pass(500 * time.Millisecond) // before that, nobody need have noticed
	w.flowing(f.within)
	pass(5 * time.Second) // it stays
	w.flowing(time.Second)
	var longest time.Duration
	for _, p := range w.people {
		_, gap := p.silent()
		longest = max(longest, gap)
	}
	t.Logf("media gap %v", longest.Round(time.Millisecond))
	if over, err := time.ParseDuration(os.Getenv("PARLEY_DIARY")); err == nil && longest > over {
		t.Log("\n" + w.diary.String())
	}
	end()
	for _, p := range w.people {
		inside(t, p.room, func(s *state) bool {
			if s.me == "" || !s.session.online() || len(s.links) != 1 {
				t.Errorf("%s: seat %q, online %v, %d links", p.name, s.me, s.session.online(), len(s.links))
			}
			return true
		})
	}
	return longest
}

func faults() []fault {
	return []fault{
		{name: "socket cut", within: 10 * time.Second, provoke: func(w *world, p *peer) {
			for range 20 {
				inside(w.t, p.room, func(s *state) bool {
					if s.session.sock != nil {
						s.session.sock.cancel()
					}
					return true
				})
				pass(time.Duration(50+w.rand.IntN(700)) * time.Millisecond)
			}
		}},
		{name: "interface replaced", within: 15 * time.Second, provoke: func(w *world, p *peer) {
			other := w.second(p, "wlan0")
			w.net.Change(func(*netsim.Network) { p.uplinks[0].Up, other.Up = false, false })
			pass(200 * time.Millisecond)
			w.net.Change(func(*netsim.Network) { other.Up = true })
		}},
		{name: "public address changes", within: 15 * time.Second, provoke: func(w *world, p *peer) {
			w.net.Change(func(*netsim.Network) { p.nat.Renumber(netip.MustParseAddr("8.0.0.1")) })
		}},
		{
			name: "default uplink of two lost", within: 15 * time.Second,
			prepare: func(w *world, p *peer) { w.second(p, "wlan0") },
			provoke: func(w *world, p *peer) { w.net.Change(func(*netsim.Network) { p.uplinks[0].Up = false }) },
		},
		{
			name: "default uplink of two silent", within: 15 * time.Second,
			prepare: func(w *world, p *peer) { w.second(p, "wlan0") },
			provoke: func(w *world, p *peer) { // signalling has to wait for the default one; media has not
				w.net.Change(func(*netsim.Network) { p.uplinks[0].Hole = true })
				pass(10 * time.Second)
				w.net.Change(func(*netsim.Network) { p.uplinks[0].Hole = false })
			},
		},
		{name: "30 s blackout", within: 15 * time.Second, provoke: func(w *world, p *peer) { w.dark(p, 30*time.Second) }},
		{name: "5 min blackout", within: 15 * time.Second, provoke: func(w *world, p *peer) { w.dark(p, 5*time.Minute) }},
		{name: "UDP blocked", within: 20 * time.Second, provoke: func(w *world, p *peer) {
			w.net.Change(func(*netsim.Network) { p.uplinks[0].NoUDP = true })
		}},
		{
			name: "UDP blocked, no spare", within: 30 * time.Second, options: Options{Single: true},
			provoke: func(w *world, p *peer) { w.net.Change(func(*netsim.Network) { p.uplinks[0].NoUDP = true }) },
		},
		{name: "NAT rebinding", within: 15 * time.Second, provoke: func(w *world, p *peer) {
			w.net.Change(func(*netsim.Network) { p.nat.Forget() })
		}},
		{name: "server killed", within: 15 * time.Second, provoke: func(w *world, _ *peer) {
			w.kill()
			pass(time.Duration(w.rand.IntN(2500)) * time.Millisecond)
			w.open()
		}},
		{name: "4 s blackhole", within: 15 * time.Second, provoke: func(w *world, p *peer) { w.dark(p, 4*time.Second) }},
	}
}

// second gives a person another uplink with a NAT of its own.
func (w *world) second(p *peer, name string) *netsim.Interface {
	var nat *netsim.NAT
	w.net.Change(func(n *netsim.Network) { nat = n.NAT(netip.MustParseAddr("9.0.0.1"), netsim.PortRestricted) })
	return w.plug(p, name, "10.9.0.2", nat)
}

// dark lets everything of a person vanish for a while. Gaps are measured from its end.
func (w *world) dark(p *peer, long time.Duration) {
	w.net.Change(func(*netsim.Network) { p.uplinks[0].Hole = true })
	pass(long)
	w.net.Change(func(*netsim.Network) { p.uplinks[0].Hole = false })
	for _, q := range w.people {
		q.mark()
	}
}
