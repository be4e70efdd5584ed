package store

import (
	"errors"
	"log/slog"
	"testing"
)

// TestOlderFails: an older value of a key that fails when the newer one is stored already, or failed before it, is not
// written again after that.
func TestOlderFails(t *testing.T) {
	errDisk := errors.New("disk")
	for name, tt := range map[string]struct {
		fail []int // of what is on its way, in the order in which that is heard
		want string
	}{
		"both, in order":         {fail: []int{0, 1}, want: "newer"},
		"both, the other way":    {fail: []int{1, 0}, want: "newer"},
		"only the older one":     {fail: []int{0}},
		"only the newer one":     {fail: []int{1}, want: "newer"},
		"one of another key too": {fail: []int{2, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Store{}
			s.keeper.log = slog.New(slog.DiscardHandler)
			w := writer{store: s}
			for _, v := range []write{
				{subject: "a", value: []byte("older")}, {subject: "a", value: []byte("newer")}, {subject: "b", value: []byte("other")},
			} {
				w.sent = append(w.sent, sent{task: &task{write: v}})
			}
			list := w.taken()
			for _, i := range tt.fail {
				w.fail(list[i].task, errDisk)
			}
			if got := string(s.keeper.failed["a"].value); got != tt.want {
				t.Errorf("%q is written again, want %q", got, tt.want)
			}
		})
	}
}
