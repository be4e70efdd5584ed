package quality

import (
	"slices"
	"testing"
	"time"
)

// clean is a link on which all is well, changed by f.
func clean(f func(*Evidence)) Evidence {
	e := Evidence{
		Sound: Flow{Bps: 32_000}, Picture: Flow{Bps: 1e6, FPS: 30}, Trip: 30 * time.Millisecond,
		Heard: Flow{Bps: 32_000, Buffer: 50 * time.Millisecond}, Seen: Flow{Bps: 1e6, FPS: 30},
	}
	if f != nil {
		f(&e)
	}
	return e
}

func TestWhoseFaultItIs(t *testing.T) {
	yes, no := true, false
	out := func(e *Evidence) { e.Sound.LostPercent, e.Picture.LostPercent = 14, 14 }
	in := func(e *Evidence) { e.Heard.LostPercent, e.Seen.LostPercent = 14, 14 }
	told := func(level int, reason Reason) *Told { return &Told{Level: level, Reason: reason} }
	far := func(e *Evidence) { e.Trip = 560 * time.Millisecond }
	type view struct {
		level  int
		reason Reason
	}
	fine := view{2, None}
	// What is seen; what we say about ourselves; how the other one shows.
	for _, tt := range []struct {
		name       string
		seen       Evidence
		own, other view
	}{
		{"all is well", clean(nil), fine, fine},
		{"what we send is lost: the sender answers for it", clean(out), view{0, Loss}, fine},
		{"the receiver has proof that it is theirs", clean(func(e *Evidence) {
			out(e)
			e.Told = told(0, DownloadSmall)
		}), fine, view{0, TheirNetwork}},
		{"but not when our own way to the server swells", clean(func(e *Evidence) {
			out(e)
			e.Told, e.AccessSwells = told(0, DownloadSmall), true
		}), view{0, Loss}, view{0, TheirNetwork}},
		{"others get what we send: not ours", clean(func(e *Evidence) {
			out(e)
			e.OthersLose = &no
		}), fine, fine},
		{"what they send is lost: theirs, even if they do not know", clean(in), fine, view{0, TheirNetwork}},
		{"and they know", clean(func(e *Evidence) {
			in(e)
			e.Told = &Told{Reason: UploadSmall, Paused: true}
		}), fine, view{0, TheirNetwork}},
		{"everybody's is lost: ours", clean(func(e *Evidence) {
			in(e)
			e.OthersMiss = &yes
		}), view{0, DownloadSmall}, view{0, DownloadSmall}},
		{"ours, as the server is far too", clean(func(e *Evidence) {
			in(e)
			e.AccessSwells = true
		}), view{0, DownloadSmall}, view{0, DownloadSmall}},
		{"they pause before we notice anything", clean(func(e *Evidence) {
			e.Told = &Told{Reason: UploadSmall, Paused: true}
		}), fine, view{0, TheirNetwork}},
		{"their machine", clean(func(e *Evidence) { e.Told = told(1, CPU) }), fine, view{1, TheirDevice}},
		{"a long way", clean(far), view{1, Delay}, view{1, Delay}},
		{"a slow relay", clean(func(e *Evidence) {
			far(e)
			e.Stream = true
		}), view{1, RelayTCP}, view{1, RelayTCP}},
		{"fits and starts", clean(func(e *Evidence) { e.Heard.Buffer = 260 * time.Millisecond }), fine, view{1, Jitter}},
		{"a picture that stands", clean(func(e *Evidence) { e.Frozen = 0.4 }), fine, view{0, Jitter}},
		{"nothing flows", Evidence{}, fine, fine},
	} {
		own, other := Mine(tt.seen), Theirs(tt.seen)
		if got := (view{own.Level, own.Reason}); got != tt.own {
			t.Errorf("%s: ours is %v, want %v", tt.name, got, tt.own)
		}
		if got := (view{other.Level, other.Reason}); got != tt.other {
			t.Errorf("%s: theirs is %v, want %v", tt.name, got, tt.other)
		}
	}
}

func TestSteady(t *testing.T) {
	begin := time.Unix(0, 0)
	view := func(level int) Verdict {
		if level == 2 {
			return Verdict{Level: 2, Reason: None}
		}
		return Verdict{Level: level, Reason: Loss}
	}
	for _, tt := range []struct {
		name        string
		looks, want []int // one a second
	}{
		{"the first look counts", []int{1}, []int{1}},
		{"one bad second is none", []int{2, 0, 2, 0, 2}, []int{2, 2, 2, 2, 2}},
		{"a fall takes three", []int{2, 0, 0, 0, 0}, []int{2, 2, 2, 2, 0}},
		{"only as far as all agree", []int{2, 0, 1, 0, 0}, []int{2, 2, 2, 2, 1}},
		{"a rise takes six", []int{0, 2, 2, 2, 2, 2, 2, 2}, []int{0, 0, 0, 0, 0, 0, 0, 2}},
		{"and starts anew", []int{0, 2, 2, 2, 0, 2, 2, 2, 2, 2, 2}, make([]int, 11)},
	} {
		var s Steady
		var got []int
		for i, level := range tt.looks {
			s.Take(begin.Add(time.Duration(i)*time.Second), view(level), false)
			level, _, _ := s.Level()
			got = append(got, level)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSteadyBelievesWhatIsCertain(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }
	lost := Verdict{Level: 0, Reason: Loss}
	var s Steady
	s.Take(at(0), Verdict{Level: 2, Reason: None}, false)
	for _, step := range []struct {
		ms      int
		seen    Verdict
		certain bool
		changed bool
		reason  Reason
	}{
		{1000, Verdict{Level: 0, Reason: Reconnecting}, true, true, Reconnecting},
		{2000, lost, false, false, Reconnecting},
		{3500, lost, false, false, Reconnecting},
		{5000, lost, false, true, Loss},
	} {
		changed := s.Take(at(step.ms), step.seen, step.certain)
		if _, reason, _ := s.Level(); changed != step.changed || reason != step.reason {
			t.Errorf("at %d ms: changed %v, %s; want %v, %s", step.ms, changed, reason, step.changed, step.reason)
		}
	}
}

func TestSpoken(t *testing.T) {
	for text, want := range map[string]Reason{
		"none": None, "upload-small": UploadSmall, "their-network": Loss, "loss": Loss, "": Loss, "<b>": Loss,
	} {
		if got := Spoken(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
