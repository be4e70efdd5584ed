package parley

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/netsim"
)

// TestDirectAgain blocks UDP for a while: the call goes over the relay, and back when the fault is over.
func TestDirectAgain(t *testing.T) {
	for _, o := range []Options{{}, {Single: true}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 5)
			w.meet(o)
			kinds := func() (list []PathKind) {
				for _, p := range w.people {
					list = append(list, inside(t, p.room, func(s *state) PathKind {
						for _, main := range s.links {
							return s.way(main).Kind
						}
						return PathLost
					}))
				}
				return list
			}
			pass(8 * time.Second)
			w.net.Change(func(*netsim.Network) { w.people[1].uplinks[0].NoUDP = true })
			pass(30 * time.Second)
			w.flowing(time.Second)
			if got := kinds(); got[0] != PathRelayed || got[1] != PathRelayed {
				t.Errorf("without UDP: %v", got)
			}
			w.net.Change(func(*netsim.Network) { w.people[1].uplinks[0].NoUDP = false })
			for _, p := range w.people {
				p.mark()
			}
			pass(90 * time.Second)
			w.flowing(time.Second)
			if got := kinds(); got[0] != PathDirect || got[1] != PathDirect {
				t.Errorf("with UDP again: %v", got)
			}
			for _, p := range w.people {
				_, gap := p.silent()
				t.Logf("%s: the longest gap on the way back was %v", p.name, gap.Round(time.Millisecond))
				if gap > time.Second {
					t.Errorf("%s heard nothing for %v", p.name, gap)
				}
			}
		})
	}
}
