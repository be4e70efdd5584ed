package quality

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// whole is what the whole of G.107 (06/2015) §7 makes of the parameters that vary here.
type whole struct{ ta, ie, bpl, ppl float64 }

// rating computes it, with the defaults of the Recommendation's table of parameters: what the reduced model leaves out
// has to be what stays the same. The numbers beside the formulas are those of the Recommendation.
func (w whole) rating() float64 {
	const (
		slr, rlr, stmr, ds, dr, telr, wepl, t, tr = 8.0, 2.0, 15.0, 3.0, 3.0, 65.0, 110.0, 0.0, 0.0
		nc, nfor, ps, pr, qdu, a                  = -70.0, -64.0, 35.0, 35.0, 1.0, 0.0
	)
	pow, log, exp, sqrt := math.Pow, math.Log10, math.Exp, math.Sqrt
	db := func(powers ...float64) float64 {
		var sum float64
		for _, p := range powers {
			sum += pow(10, p/10)
		}
		return 10 * log(sum)
	}
	olr := slr + rlr
	pre := pr + 10*log(1+pow(10, (10-(stmr+dr))/10))                  // (7-7)
	nos := ps - slr - ds - 100 + 0.004*pow(ps-olr-ds-14, 2)           // (7-5)
	nor := rlr - 121 + pre + 0.008*pow(pre-35, 2)                     // (7-6)
	no := db(nc, nos, nor, nfor+rlr)                                  // (7-4), (7-8)
	ro := 15 - 1.5*(slr+no)                                           // (7-3)
	xolr := olr + 0.2*(64+no-rlr)                                     // (7-11)
	iolr := 20 * (pow(1+pow(xolr/8, 8), 1.0/8) - xolr/8)              // (7-10)
	stmro := -10 * log(pow(10, -stmr/10)+exp(-t/4)*pow(10, -telr/10)) // (7-13)
	ist := 12*pow(1+pow((stmro-13)/6, 8), 1.0/8) - 28*pow(1+pow((stmro+1)/19.4, 35), 1.0/35) -
		13*pow(1+pow((stmro-3)/33, 13), 1.0/13) + 29 // (7-12)
	q := 37 - 15*log(qdu)                                                 // (7-18)
	g := 1.07 + 0.258*q + 0.0602*q*q                                      // (7-17)
	y := (ro-100)/15 + 46/8.4 - g/9                                       // (7-15)
	z := 46.0/30 - g/40                                                   // (7-16)
	iq := 15 * log(1+pow(10, y)+pow(10, z))                               // (7-14)
	roe := -1.5 * (no - rlr)                                              // (7-22)
	terv := telr - 40*log((1+t/10)/(1+t/150)) + 6*exp(-0.3*t*t)           // (7-24)
	re := 80 + 2.5*(terv-14)                                              // (7-23)
	idte := ((roe-re)/2 + sqrt(pow(roe-re, 2)/4+100) - 1) * (1 - exp(-t)) // (7-21)
	rle := 10.5 * (wepl + 7) * pow(tr+1, -0.25)                           // (7-26)
	idle := (ro-rle)/2 + sqrt(pow(ro-rle, 2)/4+169)                       // (7-25)
	var idd float64
	if w.ta > 100 {
		x := log(w.ta/100) / log(2)                                            // (7-28)
		idd = 25 * (pow(1+pow(x, 6), 1.0/6) - 3*pow(1+pow(x/3, 6), 1.0/6) + 2) // (7-27)
	}
	effective := w.ie + (95-w.ie)*(w.ppl/(w.ppl+w.bpl))                 // (7-29), BurstR = 1
	return ro - (iolr + ist + iq) - (idte + idle + idd) - effective + a // (7-1)
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > within {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestModelIsTheWholeOne(t *testing.T) {
	near(t, "the defaults", whole{bpl: 4.3}.rating(), BestRating, 0.05)
	near(t, "their score", OpinionScore(BestRating), 4.41, 0.005)
	for _, w := range []whole{ // G.711 with concealment and without, G.729A, G.723.1: G.113 Appendix I
		{0, 0, 25.1, 1}, {0, 0, 25.1, 5}, {0, 0, 4.3, 2}, {0, 11, 19, 0}, {0, 11, 19, 3}, {0, 15, 16.1, 2},
	} {
		near(t, fmt.Sprint(w), BestRating-LossImpairment(w.ie, w.bpl, w.ppl), w.rating(), 0.05)
	}
	near(t, "G.729A without loss", BestRating-LossImpairment(11, 19, 0), 82.2, 1e-5)
	for _, ta := range []float64{0, 100, 101, 150, 200, 300, 400, 600, 1000} {
		near(t, fmt.Sprintf("a way of %v ms", ta), BestRating-DelayImpairment(ta), whole{ta: ta, bpl: 4.3}.rating(), 0.05)
	}
}

func TestOpinionScore(t *testing.T) {
	// G.107 Annex B, table B.1, whose figures are rounded, and not always to the nearest.
	for _, tt := range []struct{ r, mos float64 }{
		{90, 4.34}, {80, 4.03}, {70, 3.6}, {60, 3.1}, {50, 2.58}, {0, 1}, {-5, 1}, {100, 4.5}, {120, 4.5},
	} {
		near(t, fmt.Sprintf("R %v", tt.r), OpinionScore(tt.r), tt.mos, 0.01)
	}
}

func TestOpus(t *testing.T) {
	for _, tt := range []struct{ bps, ie float64 }{
		{0, 7.28}, {32_000, 7.28}, {16_000, 10.47}, {64_000, 4.09}, {510_000, 0},
	} {
		near(t, fmt.Sprintf("Opus at %v bit/s", tt.bps), OpusImpairment(tt.bps), tt.ie, 0.005)
	}
	before := math.Inf(1)
	for _, lost := range []float64{0, 1, 2, 5, 10, 20, 50, 100} {
		r := SpeechRating(80, lost, 0)
		if r >= before {
			t.Errorf("%v %% lost: %v, no worse than %v", lost, r, before)
		}
		before = r
	}
	near(t, "5 % lost", SpeechRating(80, 5, 0), BestRating-LossImpairment(OpusImpairment(0), 20, 5), 1e-6)
	if SpeechRating(400, 0, 0) >= SpeechRating(200, 0, 0) || SpeechRating(5000, 100, 0) != 0 {
		t.Error("a longer way is no worse, or the scale is left")
	}
}

func TestLevels(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, tt := range []struct {
		flow Flow
		trip int
		want int
	}{
		{Flow{Bps: 32_000, Buffer: ms(50)}, 30, 2},
		{Flow{Bps: 16_000, Buffer: ms(60)}, 60, 2},
		{Flow{LostPercent: 1}, 30, 2},
		{Flow{LostPercent: 5}, 30, 1},
		{Flow{LostPercent: 15}, 30, 0},
		{Flow{Buffer: ms(60)}, 500, 1},
		{Flow{Buffer: ms(300)}, 900, 0},
	} {
		if got := LevelOf(SoundScore(tt.flow, ms(tt.trip))); got != tt.want {
			t.Errorf("%+v at %v ms: level %d, want %d", tt.flow, tt.trip, got, tt.want)
		}
	}
	for _, tt := range []struct {
		fps, frozen float64
		want        int
	}{{30, 0, 2}, {15, 0, 2}, {30, 0.05, 2}, {30, 0.1, 1}, {5, 0, 0}, {30, 0.3, 0}, {0, 1, 0}} {
		if got := LevelOf(PictureScore(tt.fps, tt.frozen)); got != tt.want {
			t.Errorf("%v frames a second, %v frozen: level %d, want %d", tt.fps, tt.frozen, got, tt.want)
		}
	}
}
