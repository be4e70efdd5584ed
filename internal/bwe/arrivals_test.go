package bwe

import (
	"slices"
	"testing"
	"time"
)

func TestArrivals(t *testing.T) {
	a := NewArrivals(begin)
	at := func(v int) time.Time { return begin.Add(time.Duration(v) * ms) }
	if a.Due(at(1000)) || len(a.Report(at(1000), nil)) != 0 {
		t.Fatal("something to report of nothing")
	}
	steps := []struct {
		name string
		add  []uint16 // one each millisecond
		from int      // ms
		due  bool     // 10 ms after the last
		want []Arrival
	}{
		{"the first", []uint16{65_534}, 1000, true, []Arrival{{65_534, true, 1000 * ms}}},
		{"soon after", []uint16{65_535}, 1011, false, nil},
		{"a gap over the wrap", []uint16{1}, 1110, true, []Arrival{{65_535, true, 1011 * ms}, {0, false, 0}, {1, true, 1110 * ms}}},
		{"late, twice, and the next", []uint16{0, 1, 2}, 1220, true, []Arrival{{0, true, 1220 * ms}, {1, true, 1110 * ms}, {2, true, 1222 * ms}}},
		{"far too late", []uint16{60_000}, 1330, false, nil},
		{"nothing new", []uint16{2}, 1500, false, nil},
		{"a leap", []uint16{2002}, 1700, true, []Arrival{{2002, true, 1700 * ms}}},
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			now := s.from
			for _, n := range s.add {
				a.Add(at(now), n)
				now++
			}
			now += 9
			if got := a.Due(at(now)); got != s.due {
				t.Errorf("due: %v", got)
			}
			if s.due {
				if got := a.Report(at(now), nil); !slices.Equal(got, s.want) {
					t.Errorf("got %v, want %v", got, s.want)
				}
			}
		})
	}
	// Much is reported sooner.
	for i := range enough {
		a.Add(at(1711+i), uint16(3000+i))
	}
	if a.Due(at(1755)) || !a.Due(at(1761)) {
		t.Error("not after 50 ms")
	}
}

// However it is filled, no report is longer than promised, and numbers follow each other.
func TestReportBounded(t *testing.T) {
	a := NewArrivals(begin)
	r := chance(3)
	now := begin
	buffer := make([]Arrival, 0, MostReported)
	for range 20_000 {
		now = now.Add(time.Duration(r.next()%3) * ms)
		a.Add(now, uint16(r.next())>>(r.next()%16))
		if r.next()%50 != 0 {
			continue
		}
		list := a.Report(now, buffer)
		if len(list) > MostReported {
			t.Fatal(len(list))
		}
		for i := 1; i < len(list); i++ {
			if list[i].Number != list[i-1].Number+1 {
				t.Fatal(list[i-1], list[i])
			}
		}
	}
}

// chance is a small generator (splitmix64).
type chance uint64

func (c *chance) next() uint64 {
	*c += 0x9e3779b97f4a7c15
	z := uint64(*c)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
