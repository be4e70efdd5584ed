package parley

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestPongsAreMissing: a link that brings other things is given up when pongs are missing for a while, one with the hub much later;
// when nothing comes at all, both are at once.
func TestPongsAreMissing(t *testing.T) {
	for _, tt := range []struct {
		name     string
		lenience time.Duration
		others   bool
		after    time.Duration
	}{
		{"of two, with media", unansweredMore, true, unansweredMore + stallAfter},
		{"with the hub, with media", unansweredByHub, true, unansweredByHub + stallAfter},
		{"with the hub, with nothing", unansweredByHub, false, stallAfter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPulse(time.Now(), tt.lenience)
				time.Sleep(time.Second)
				p.beats.Store(true)
				p.hear()
				p.ponged(time.Since(p.epoch), 20*time.Millisecond)
				began := time.Now()
				for !p.stalled(time.Now()) {
					time.Sleep(20 * time.Millisecond)
					if tt.others {
						p.hear()
					}
				}
				if passed := time.Since(began); passed < tt.after || passed > tt.after+200*time.Millisecond {
					t.Errorf("given up after %v, want %v", passed, tt.after)
				}
			})
		})
	}
}
