package main

import (
	"reflect"
	"testing"
	"time"
)

func TestTranscript(t *testing.T) {
	began := time.Date(2026, 1, 2, 9, 30, 0, 0, time.UTC)
	e := newEar()
	var lines []string
	for i := range 100 {
		now := began.Add(time.Duration(i) * interval)
		all := map[string]level{
			"s1": {"Ann", -60, uint64(5 * i)},         // murmurs
			"s2": {"Bob", -60, uint64(5 * i)},         // speaks twice, with a breath in between
			"s3": {"Cid", -20, uint64(5 * min(i, 2))}, // coughs, and sends nothing more
			"s4": {"Dan", -30 - float64(i%2)*10, uint64(5 * i)},
		}
		if i >= 10 && i < 20 || i >= 25 && i < 31 || i >= 60 && i < 65 {
			all["s2"] = level{"Bob", -25, uint64(5 * i)}
		}
		if i >= 80 {
			delete(all, "s4") // leaves in the middle of a word
		}
		lines = append(lines, e.hear(now, all)...)
	}
	want := []string{
		"09:30:01 Bob spoke for 2.0 s, -25 dBov on average, -25 at the loudest",
		"09:30:06 Bob spoke for 0.4 s, -25 dBov on average, -25 at the loudest",
		"09:30:00 Dan spoke for 7.8 s, -35 dBov on average, -30 at the loudest",
	}
	if !reflect.DeepEqual(lines, want) {
		t.Errorf("got  %q\nwant %q", lines, want)
	}
	if len(e.people) != 3 {
		t.Errorf("%d people are remembered", len(e.people))
	}
}
