package mediaserver

import (
	"errors"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/sfu"
)

// TestFault: somebody whose packets make us panic loses the link; the others of the room go on, and the loop too.
func TestFault(t *testing.T) {
	h := open(t, 1)
	faults := make(chan Link, 1)
	h.cfg.Fault = func(at Link, cause any, stack []byte) {
		if cause == nil || len(stack) == 0 {
			t.Error("nothing is said of the fault")
		}
		faults <- at
	}
	ann := h.come(t, Link{"room", "ann", "1"}, 0, true)
	ann.offer(false)
	dan := h.come(t, Link{"room", "dan", "1"}, 0, true)
	dan.offer(false)
	bob := h.come(t, Link{"room", "bob", "1"}, 2, false)
	bob.offer(false, camera("ann"), camera("dan"))
	bob.hears(2, 2)
	c := h.linked(ann.at)
	if err := h.do(t.Context(), c.loop, func(time.Time) { c.person = new(sfu.Person) }); err != nil { // of no room
		t.Fatal(err)
	}
	h.until(t, "the end of who is at fault", func() bool { return h.ended[ann.at] != nil })
	if err := h.endedWith(ann.at); !errors.Is(err, ErrFault) {
		t.Error(err)
	}
	if at := <-faults; at != ann.at || h.Stats().Faults != 1 {
		t.Errorf("%v, %+v", at, h.Stats())
	}
	cleo := h.come(t, Link{"room", "cleo", "1"}, 1, false)
	cleo.offer(false, camera("dan"))
	cleo.hears(1, 1)
}
