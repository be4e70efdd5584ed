package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// added prints how much later packets come through a server than directly, in Markdown: of all packets of all rounds together, and
// in brackets the least and the most that the median of a round differed from that of the direct path in the same round. It prints
// nothing unless both were measured.
func added(out io.Writer, all []result) {
	list := groups(all)
	i := slices.IndexFunc(list, func(g *group) bool { return g.scenario == "direct" })
	if i < 0 {
		return
	}
	direct, head := list[i], false
	for _, g := range list {
		if g.scenario != "one" && g.scenario != "hop" || len(g.runs) != len(direct.runs) {
			continue
		}
		if !head {
			head = true
			fmt.Fprint(out, "\n| server | runs | direct p50 / p99, ms | through it p50 / p99, ms | added p50, ms (rounds) | added p99, ms | p50 to direct |\n|---|---|---|---|---|---|---|\n")
		}
		was, is := direct.pooled(), g.pooled()
		var apart []time.Duration
		for round := range g.runs {
			apart = append(apart, g.runs[round].latency.quantile(.5)-direct.runs[round].latency.quantile(.5))
		}
		fmt.Fprintf(out, "| %s | %d | %.3f / %.2f | %.3f / %.2f | %.3f (%.3f to %.3f) | %.2f | %.2f |\n", g.server, len(g.runs),
			ms(was.quantile(.5)), ms(was.quantile(.99)), ms(is.quantile(.5)), ms(is.quantile(.99)),
			ms(is.quantile(.5)-was.quantile(.5)), ms(slices.Min(apart)), ms(slices.Max(apart)),
			ms(is.quantile(.99)-was.quantile(.99)), float64(is.quantile(.5))/float64(max(was.quantile(.5), 1)))
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// pooled is the latency of the packets of all runs.
func (g *group) pooled() (all histogram) {
	for i := range g.runs {
		all.merge(&g.runs[i].latency)
	}
	return all
}
