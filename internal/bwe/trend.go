package bwe

// usage is what the trend of the delay says about the path.
type usage uint8

const (
	steady usage = iota
	rising
	falling
)

const (
	trendWindow = 20
	groupTime   = 5 * milli
	trendGain   = 4.0
	smoothing   = 0.9
	// The threshold starts at 12.5 and follows the trend's size, down faster than up, so that a flow that fills queues does
	// not starve this one (draft-ietf-rmcat-gcc-02 §5.4).
	firstThreshold, leastThreshold, mostThreshold = 12.5, 6.0, 600.0
	thresholdUp, thresholdDown                    = 0.0087, 0.039
	thresholdSpike                                = 15.0
)

// group is a burst of packets that are judged as one.
type group struct {
	first, last int64 // sent
	arrived     int64 // the last of it
	begun       int64 // arrival of the first of it
}

// trend watches whether groups of packets take longer and longer: a line through the smoothed delay of the last 20, and
// a threshold for its slope.
type trend struct {
	now, before group
	started     int // groups seen, at most 2
	deltas      int
	delay       float64 // accumulated, ms
	smooth      float64
	origin      int64
	x, y        [trendWindow]float64
	n           int
	threshold   float64
	slope       float64
	over        float64 // ms above the threshold
	overs       int
	usage       usage
}

func (d *trend) reset() {
	*d = trend{threshold: max(d.threshold, firstThreshold)}
	if d.threshold > mostThreshold {
		d.threshold = mostThreshold
	}
}

// add takes a packet that arrived, in the order of arrival.
func (d *trend) add(sent, at int64, _ int) {
	if d.started == 0 {
		d.started, d.now, d.origin = 1, group{sent, sent, at, at}, at
		return
	}
	if at-d.now.arrived > 3*second || at-d.now.arrived < -3*second || sent-d.now.last > 3*second {
		threshold := d.threshold
		d.reset()
		d.threshold = threshold
		d.started, d.now, d.origin = 1, group{sent, sent, at, at}, at
		return
	}
	if sent < d.now.first { // overtaken
		return
	}
	if d.belongs(sent, at) {
		d.now.last = max(d.now.last, sent)
		d.now.arrived = max(d.now.arrived, at)
		return
	}
	if d.started == 2 {
		d.compare()
	}
	d.started, d.before, d.now = 2, d.now, group{sent, sent, at, at}
}

// belongs reports whether a packet is part of the present group: sent with it, or come with it in one burst after it had
// waited somewhere.
func (d *trend) belongs(sent, at int64) bool {
	if sent-d.now.first <= groupTime {
		return true
	}
	apart := at - d.now.arrived
	return apart <= groupTime && apart-(sent-d.now.last) < 0 && at-d.now.begun < 100*milli
}

// compare takes the step between two whole groups.
func (d *trend) compare() {
	sentApart := float64(d.now.last-d.before.last) / 1000
	apart := float64(d.now.arrived-d.before.arrived) / 1000
	if apart < 0 {
		return
	}
	d.deltas++
	d.delay += apart - sentApart
	d.smooth = smoothing*d.smooth + (1-smoothing)*d.delay
	if d.n == trendWindow {
		copy(d.x[:], d.x[1:])
		copy(d.y[:], d.y[1:])
		d.n--
	}
	d.x[d.n], d.y[d.n] = float64(d.now.arrived-d.origin)/1000, d.smooth
	d.n++
	d.detect(d.line(), sentApart, apart)
}

// line is the slope of the least squares through the window, or what it was.
func (d *trend) line() float64 {
	if d.n < trendWindow {
		return d.slope
	}
	var mx, my float64
	for i := range d.n {
		mx += d.x[i]
		my += d.y[i]
	}
	mx /= float64(d.n)
	my /= float64(d.n)
	var up, down float64
	for i := range d.n {
		up += (d.x[i] - mx) * (d.y[i] - my)
		down += (d.x[i] - mx) * (d.x[i] - mx)
	}
	if down < 1e-9 {
		return d.slope
	}
	return up / down
}

func (d *trend) detect(slope, sentApart, apart float64) {
	if d.deltas < 2 {
		return
	}
	m := slope * float64(min(d.deltas, 60)) * trendGain
	switch {
	case m > d.threshold:
		if d.overs == 0 {
			d.over = sentApart / 2
		} else {
			d.over += sentApart
		}
		d.overs++
		if d.over > 10 && d.overs > 1 && slope >= d.slope {
			d.usage, d.over, d.overs = rising, 0, 0
		}
	case m < -d.threshold:
		d.usage, d.over, d.overs = falling, 0, 0
	default:
		d.usage, d.over, d.overs = steady, 0, 0
	}
	d.slope = slope
	size := max(m, -m)
	if size > d.threshold+thresholdSpike {
		return
	}
	k := thresholdUp
	if size < d.threshold {
		k = thresholdDown
	}
	d.threshold += k * (size - d.threshold) * min(apart, 100)
	d.threshold = min(max(d.threshold, leastThreshold), mostThreshold)
}
