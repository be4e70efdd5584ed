package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// result is what one run has shown.
type result struct {
	server, scenario   string
	direct             bool // without a server
	people, receivers  int
	streams, heard     int // tracks that should arrive, and that did
	received, expected uint64
	latency            histogram
	spent, window      time.Duration
	mallocs            uint64
	empty, published   uint64 // the server's memory: at the start, with the publishers
	full               uint64 // and at the end
	joins              []time.Duration
	keyed              int // people whose first packet was of a key frame
}

// take measures for a window. t is nil when there is no server.
func (r *result) take(ctx context.Context, room *shared, t *target, people []*person, window time.Duration) error {
	wait(ctx, settling)
	var before, after time.Duration
	var err error
	var first uint64
	if t != nil {
		if first, err = t.mallocs(ctx); err != nil {
			return err
		}
		if before, err = t.processor(); err != nil {
			return err
		}
	}
	began := time.Now()
	number := room.window.Add(1)
	wait(ctx, window)
	room.window.Add(1)
	r.window = time.Since(began)
	if t != nil {
		if after, err = t.processor(); err != nil {
			return err
		}
		last, err := t.mallocs(ctx)
		if err != nil {
			return err
		}
		if r.full, err = t.resident(); err != nil {
			return err
		}
		r.spent, r.mallocs = after-before, last-first
	}
	for _, p := range people {
		p.tally(number, r)
	}
	if r.received == 0 {
		return fmt.Errorf("nothing was received in %v", r.window)
	}
	return ctx.Err()
}

// cost is the processor time of a packet received.
func (r *result) cost() float64 { return float64(r.spent.Nanoseconds()) / 1000 / float64(r.received) }

func (r *result) allocations() float64 { return float64(r.mallocs) / float64(r.received) }

func (r *result) rate() float64 { return float64(r.received) / r.window.Seconds() }

func (r *result) loss() float64 {
	return 100 * (1 - float64(r.received)/float64(max(r.expected, r.received)))
}

// perPerson is the server's memory for one of all, perReceiver for one of those who only receive.
func (r *result) perPerson() float64 {
	return float64(int64(r.full)-int64(r.empty)) / float64(r.people) / 1e6
}

func (r *result) perReceiver() float64 {
	return float64(int64(r.full)-int64(r.published)) / float64(max(r.receivers, 1)) / 1e6
}

func (r *result) join(q float64) float64 {
	if len(r.joins) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(r.joins))
	return float64(sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Microseconds()) / 1000
}

func (r *result) millis(q float64) float64 {
	return float64(r.latency.quantile(q).Microseconds()) / 1000
}

// String is a line for the reader who waits.
func (r result) String() string {
	return fmt.Sprintf("%-6s %-8s %6.2f µs a packet, %6.0f packets/s, %d of %d streams, loss %.2f %%, latency %.2f / %.2f ms, join %.0f / %.0f ms",
		r.scenario, r.server, r.cost(), r.rate(), r.heard, r.streams, r.loss(), r.millis(.5), r.millis(.99), r.join(.5), r.join(.95))
}

// group is the runs of one server in one scenario.
type group struct {
	scenario, server string
	runs             []result
}

// median returns the middle of what f says of the runs.
func (g *group) median(f func(*result) float64) float64 {
	values := make([]float64, len(g.runs))
	for i := range g.runs {
		values[i] = f(&g.runs[i])
	}
	slices.Sort(values)
	if n := len(values); n%2 == 0 {
		return (values[n/2-1] + values[n/2]) / 2
	}
	return values[len(values)/2]
}

func (g *group) extremes(f func(*result) float64) (least, most float64) {
	for i := range g.runs {
		v := f(&g.runs[i])
		if i == 0 {
			least, most = v, v
		}
		least, most = min(least, v), max(most, v)
	}
	return least, most
}

// groups sorts results by scenario and server, in the order of their first coming.
func groups(all []result) []*group {
	var out []*group
	for _, r := range all {
		i := slices.IndexFunc(out, func(g *group) bool { return g.scenario == r.scenario && g.server == r.server })
		if i < 0 {
			i = len(out)
			out = append(out, &group{scenario: r.scenario, server: r.server})
		}
		out[i].runs = append(out[i].runs, r)
	}
	order := func(g *group) int {
		return slices.IndexFunc(all, func(r result) bool { return r.scenario == g.scenario })
	}
	slices.SortStableFunc(out, func(a, b *group) int { return cmp.Compare(order(a), order(b)) })
	return out
}

// columns are the heads of the table, and what is below them.
var columns = []struct {
	head string
	cell func(g *group, plain *group) string
}{
	{"scenario", func(g, _ *group) string { return g.scenario }},
	{"server", func(g, _ *group) string { return g.server }},
	{"runs", func(g, _ *group) string { return fmt.Sprint(len(g.runs)) }},
	{"CPU µs per packet (range)", func(g, _ *group) string {
		least, most := g.extremes((*result).cost)
		return fmt.Sprintf("%.2f (%.2f-%.2f)", g.median((*result).cost), least, most)
	}},
	{"to plain", func(g, plain *group) string {
		return fmt.Sprintf("%.2f", g.median((*result).cost)/plain.median((*result).cost))
	}},
	{"allocations per packet", func(g, _ *group) string { return fmt.Sprintf("%.3f", g.median((*result).allocations)) }},
	{"packets/s", func(g, _ *group) string { return fmt.Sprintf("%.0f", g.median((*result).rate)) }},
	{"loss %", func(g, _ *group) string { return fmt.Sprintf("%.2f", g.median((*result).loss)) }},
	{"RSS empty, MB", func(g, _ *group) string {
		return fmt.Sprintf("%.0f", g.median(func(r *result) float64 { return float64(r.empty) / 1e6 }))
	}},
	{"per person, MB", func(g, _ *group) string { return fmt.Sprintf("%.2f", g.median((*result).perPerson)) }},
	{"per receiver, MB", func(g, _ *group) string {
		if g.runs[0].receivers == 0 {
			return "–"
		}
		return fmt.Sprintf("%.2f", g.median((*result).perReceiver))
	}},
	{"join p50 / p95, ms", func(g, _ *group) string {
		return fmt.Sprintf("%.0f / %.0f", g.median(func(r *result) float64 { return r.join(.5) }), g.median(func(r *result) float64 { return r.join(.95) }))
	}},
	{"first packet of a key frame", func(g, _ *group) string {
		keyed, joins := 0, 0
		for i := range g.runs {
			keyed, joins = keyed+g.runs[i].keyed, joins+len(g.runs[i].joins)
		}
		return fmt.Sprintf("%d of %d", keyed, joins)
	}},
	{"latency p50 / p99, ms", func(g, _ *group) string {
		return fmt.Sprintf("%.2f / %.2f", g.median(func(r *result) float64 { return r.millis(.5) }), g.median(func(r *result) float64 { return r.millis(.99) }))
	}},
}

// aboutServer are the columns that say nothing when there is none.
var aboutServer = []int{3, 4, 5, 8, 9, 10}

// table prints medians, in Markdown.
func table(out io.Writer, all []result) {
	var head, rule strings.Builder
	for _, c := range columns {
		head.WriteString("| " + c.head + " ")
		rule.WriteString("|---")
	}
	fmt.Fprintf(out, "%s|\n%s|\n", &head, &rule)
	list := groups(all)
	for _, g := range list {
		plain := g
		if i := slices.IndexFunc(list, func(o *group) bool { return o.scenario == g.scenario && o.server == "plain" }); i >= 0 {
			plain = list[i]
		}
		for i, c := range columns {
			cell := "–"
			if g.server != "none" || !slices.Contains(aboutServer, i) {
				cell = c.cell(g, plain)
			}
			fmt.Fprintf(out, "| %s ", cell)
		}
		fmt.Fprintln(out, "|")
	}
}
