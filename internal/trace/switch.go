package trace

import "github.com/parley-rtc/parley/internal/signal"

// heardGap is the shortest hole in the sound that people notice, in milliseconds.
const heardGap = 200

// switches tells which changes of topology were heard, or failed: of each, the worst.
func (r *Record) switches() []Finding {
	var out []Finding
	worst := map[uint64]int{} // by epoch, the index in out
	for i := range r.Events {
		switch e := &r.Events[i]; {
		case e.Switch == nil:
		case e.Kind == SwitchEnd && e.Cause == "failed":
			out = append(out, Finding{Code: CodeSwitchFailed, Seat: e.Seat, At: e.At, MS: e.MS, Fault: FaultPerson, weight: Fair})
		case e.Kind == signal.ReportSwitched && e.Switch.GapMS >= heardGap:
			f := Finding{Code: CodeSwitchGap, Seat: e.Who, At: e.At, MS: e.Switch.GapMS, Fault: FaultServer, weight: Fair}
			if at, known := worst[e.Switch.Epoch]; !known {
				worst[e.Switch.Epoch] = len(out)
				out = append(out, f)
			} else if out[at].MS < f.MS {
				out[at] = f
			}
		}
	}
	return out[:min(len(out), gapsTold)]
}
