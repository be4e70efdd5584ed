package signalserver

import (
	"testing"
	"time"
)

func TestRotationRules(t *testing.T) {
	type step struct {
		after   time.Duration
		confirm uint32 // or, when 0,
		show    uint32
		want    verdict
	}
	for name, steps := range map[string][]step{
		"the first welcome is lost": {{show: 1, want: tokenGood}, {show: 1, want: tokenGood}},
		"any of those issued since": {{show: 3, want: tokenGood}, {confirm: 3}, {show: 5, want: tokenGood}},
		"late":                      {{confirm: 2}, {after: lateHello - 1, show: 1, want: tokenBad}, {show: 2, want: tokenGood}},
		"copied":                    {{confirm: 2}, {after: lateHello, show: 1, want: tokenCopied}, {show: 2, want: tokenBad}, {show: 3, want: tokenBad}},
		"confirming again is not newer": {
			{confirm: 2}, {after: lateHello / 2, confirm: 2}, {after: lateHello / 2, show: 1, want: tokenCopied},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var r rotation
			now := time.Unix(1e9, 0)
			for range 5 {
				r.next()
			}
			for i, s := range steps {
				now = now.Add(s.after)
				if s.confirm > 0 {
					r.confirm(now, s.confirm)
				} else if got := r.judge(now, s.show); got != s.want {
					t.Errorf("step %d: %v, want %v", i, got, s.want)
				}
			}
		})
	}
}
