//go:build linux

package main

import (
	"testing"
	"time"
)

func TestParseCable(t *testing.T) {
	name, ends, err := parseCable("home=left:wan,right:port1")
	if err != nil || name != "home" || ends != [2][2]string{{"left", "wan"}, {"right", "port1"}} {
		t.Errorf("got %q %v, %v", name, ends, err)
	}
	for _, bad := range []string{"", "home", "home=left:wan", "home=left,right", "home=a:b,c:d,e:f"} {
		if _, _, err := parseCable(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestObey(t *testing.T) {
	c := &cable{ways: [2]*way{{}, {}}}
	cables := map[string]*cable{"home": c}
	for _, tt := range []struct {
		command string
		want    [2]settings // after it; they add up
	}{
		{"home delay 50ms", [2]settings{{delay: 50 * time.Millisecond}, {delay: 50 * time.Millisecond}}},
		{"* up jitter 5ms", [2]settings{{delay: 50 * time.Millisecond, jitter: 5 * time.Millisecond}, {delay: 50 * time.Millisecond}}},
		{"* up jitter 0s", [2]settings{{delay: 50 * time.Millisecond}, {delay: 50 * time.Millisecond}}},
		{"home delay 0s", [2]settings{}},
		{"home down loss 25", [2]settings{{}, {loss: 0.25}}},
		{"home down loss 0", [2]settings{}},
		{"home rate 2000", [2]settings{{rate: 2_000_000}, {rate: 2_000_000}}},
		{"home rate 0", [2]settings{}},
		{"home queue 1000", [2]settings{{queue: 1000}, {queue: 1000}}},
		{"home cut", [2]settings{{queue: 1000, down: true}, {queue: 1000, down: true}}},
		{"home up mend", [2]settings{{queue: 1000}, {queue: 1000, down: true}}},
	} {
		if err := obey(cables, tt.command); err != nil {
			t.Errorf("%s: %v", tt.command, err)
		}
		if got := [2]settings{c.ways[0].line.set, c.ways[1].line.set}; got != tt.want {
			t.Errorf("after %s: %+v, want %+v", tt.command, got, tt.want)
		}
	}
	for _, bad := range []string{
		"", "home", "away delay 1s", "home delay", "home delay soon", "home delay -1s", "home loss x", "home colour 3", "home cut 3 4",
	} {
		if err := obey(cables, bad); err == nil {
			t.Errorf("%q was obeyed", bad)
		}
	}
}
