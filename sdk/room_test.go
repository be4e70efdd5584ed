package parley

import (
	"context"
	"errors"
	"testing"
)

// TestWhyARoomEnded: whoever asks only when the room is over already hears why, not just that it is.
func TestWhyARoomEnded(t *testing.T) {
	o := Options{Name: "Ann"}.withDefaults()
	a := address{room: "tea", host: "test"}
	k, err := newKit(a, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("no such server")
	r := newRoom(a, o, k, func(context.Context) (*socket, error) { return nil, why })
	defer r.Close()
	<-r.over
	if err := r.opened.wait(t.Context()); !errors.Is(err, why) {
		t.Errorf("%v, want %v", err, why)
	}
}
