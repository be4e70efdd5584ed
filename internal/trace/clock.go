package trace

// Limits of what a client's clock is believed.
const (
	// stepBack is how much sooner than the fastest report before it one has to arrive, by its own time, before the clock
	// is taken to have been set forward: less is a faster network.
	stepBack = 30_000
	// stepOn is how much later: less is a report that waited for the network. It is the grace time's default.
	stepOn = 600_000
	// maxClocks is how often a clock may be set in one call; after that it is no clock.
	maxClocks = 16
)

// Clock is what a person's clock was found to be off by, from one report on.
type Clock struct {
	// Since is when the first report by this clock arrived.
	Since int64 `json:"since"`
	// Offset is what to add to the clock, in milliseconds.
	Offset int64 `json:"offset"`
}

// learn takes a report whose newest event happened at newest, by the client, and that arrived at got. A report takes
// some time, never a negative one, so of all the differences the smallest is the nearest to the truth. It returns
// whether anything that is kept has changed.
func learn(clocks []Clock, newest, got int64) ([]Clock, bool) {
	offset := got - newest
	if len(clocks) == 0 {
		return append(clocks, Clock{Since: got, Offset: offset}), true
	}
	last := &clocks[len(clocks)-1]
	switch late := offset - last.Offset; {
	case (late < -stepBack || late > stepOn) && len(clocks) < maxClocks:
		return append(clocks, Clock{Since: got, Offset: offset}), true
	case late < 0 && late >= -stepBack:
		last.Offset = offset
		return clocks, true
	}
	return clocks, false
}

// correct returns when an event that a client saw at at happened by the server's clock: never before the call began and
// never after the server heard of it.
func correct(clocks []Clock, at, got, began int64) int64 {
	var offset int64
	for _, c := range clocks {
		if c.Since <= got {
			offset = c.Offset
		}
	}
	return max(began, min(at+offset, got))
}
