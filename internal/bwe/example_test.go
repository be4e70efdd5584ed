package bwe_test

import (
	"fmt"
	"time"

	"github.com/parley-rtc/parley/internal/bwe"
)

// A path of 1 Mbit/s: everything arrives at most at that rate, 20 ms later. Within a second of calling, the estimator
// knows.
func Example() {
	start := time.Unix(0, 0)
	sender := bwe.New(start, bwe.Config{})
	pacer := bwe.NewPacer[int](start, 256)
	receiver := bwe.NewArrivals(start)

	number, free := uint16(0), start
	send := func(now time.Time, size int, kind bwe.Kind) {
		sender.Sent(now, number, size, kind)
		if free.Before(now) {
			free = now
		}
		free = free.Add(time.Duration(size) * 8 * time.Microsecond)
		receiver.Add(free.Add(20*time.Millisecond), number) // in life: when it comes
		number++
	}
	for i := range 3000 {
		now := start.Add(time.Duration(i) * time.Millisecond)
		sender.Tick(now)
		pacer.SetTarget(now, sender.Target())
		if i%33 == 0 { // a picture
			for left := sender.Target() / 8 * 33 / 1000; left > 0; left -= 1000 {
				pacer.Push(bwe.Video, i, min(left, 1000)+40)
			}
		}
		if cluster, ok := sender.Probe(now); ok {
			pacer.Probe(now, cluster)
		}
		for pacer.Ready(now) {
			if w, ok := pacer.Pop(now); ok {
				send(now, w.Size, bwe.Video)
			} else if pacer.Probing() > 0 { // nothing waits: fill the probe
				send(now, 280, bwe.Padding)
				pacer.Passed(now, 280)
			} else {
				break
			}
		}
		if receiver.Due(now) {
			sender.Feedback(now, receiver.Report(now, nil))
		}
	}
	estimate := sender.Estimate()
	fmt.Println(estimate > 850_000, estimate < 1_100_000)
	// Output: true true
}
