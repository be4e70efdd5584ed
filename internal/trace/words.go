package trace

import (
	"fmt"
	"strings"
	"time"
)

// say writes a finding in English. Times of day are UTC; a page that knows the reader's own says it by Code.
func (r *Record) say(f *Finding) string {
	who, other := r.name(f.Seat), r.name(f.Other)
	switch f.Code {
	case CodeAlone:
		return "Nobody else came."
	case CodeHub:
		return fmt.Sprintf("%d people talked through the server.", f.Count)
	case CodeSwitchGap:
		return fmt.Sprintf("%s heard nothing for %s when the call changed its way at %s.", who, length(f.MS), clock(f.At))
	case CodeSwitchFailed:
		return fmt.Sprintf("The call could not change its way at %s, because of %s's network.", clock(f.At), who)
	case CodeNoInterruption:
		return "There was no interruption."
	case CodeMoreGaps:
		return fmt.Sprintf("%s more, %s together.", count(f.Count, "short gap"), length(f.MS))
	case CodeRestart:
		return fmt.Sprintf("The server restarted at %s.", clock(f.At))
	case CodeLost:
		return fmt.Sprintf("%s lost the connection at %s and did not come back.", who, clock(f.At))
	case CodeRemoved:
		return fmt.Sprintf("A host removed %s at %s.", who, clock(f.At))
	case CodeAway:
		return fmt.Sprintf("%s was without the server for %s at %s.", who, length(f.MS), clock(f.At))
	case CodeSlow:
		return fmt.Sprintf("It took %s until %s heard and saw %s.", length(f.MS), who, other)
	case CodePoor:
		return fmt.Sprintf("The connection was bad for %s for %s, %d %% of the time%s.", who, length(f.MS), f.Percent, because(f.Cause))
	case CodeVideoPaused:
		return fmt.Sprintf("%s's video was paused for %s so that the sound could go on%s.", who, length(f.MS), because(f.Cause))
	case CodeDevice:
		return fmt.Sprintf("A device of %s's failed at %s%s.", who, clock(f.At), because(f.Cause))
	}
	if strings.HasPrefix(string(f.Code), "gap-") {
		return length(f.MS) + " gap at " + clock(f.At) + " " + sayGap(f, who, other) + "."
	}
	return sayConnection(f, who, other)
}

func sayConnection(f *Finding, who, other string) string {
	over := ""
	if f.Protocol != "" {
		over = " over " + strings.ToUpper(string(f.Protocol))
	}
	switch f.Code {
	case CodeNoConnection:
		return fmt.Sprintf("%s and %s got no connection with each other.", who, other)
	case CodeDirect:
		return fmt.Sprintf("%s and %s were connected directly.", who, other)
	case CodeRelayed:
		return fmt.Sprintf("%s and %s were relayed%s.", who, other, over)
	case CodeUDPBlocked:
		return fmt.Sprintf("%s's network blocked UDP; relayed%s.", who, over)
	case CodeRelayOnly:
		return fmt.Sprintf("%s and %s were relayed%s, because a program offered nothing else.", who, other, over)
	case CodeNoDirect:
		return fmt.Sprintf("No direct way led from %s to %s; relayed%s.", who, other, over)
	}
	return fmt.Sprintf("How %s and %s were connected is not known: their programs did not say.", who, other)
}

func sayGap(f *Finding, who, other string) string {
	switch f.Code {
	case CodeGapChanged:
		return "when " + who + " changed networks"
	case CodeGapLost:
		return "when " + who + "'s network was gone"
	case CodeGapAsleep:
		return "while " + who + "'s device slept"
	case CodeGapReloaded:
		return "when " + who + " loaded the page again"
	case CodeGapBoth:
		return "when both " + who + " and " + other + " lost the server"
	case CodeGapServer:
		return "when the server restarted"
	}
	return "on the way between " + who + " and " + other
}

func (r *Record) name(seat string) string {
	l := r.person(seat)
	switch {
	case l == nil:
		return "somebody"
	case strings.ContainsAny(l.Name, ".,;:!?()“”\""): // a name must not look like a sentence of ours
		return "“" + strings.NewReplacer("“", "", "”", "").Replace(l.Name) + "”"
	}
	return l.Name
}

// clock is the time of day.
func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("15:04 UTC") }

// length is a duration for people: 0.4 s, 3 s, 2 min 5 s, 1 h 4 min.
func length(ms int64) string {
	switch s := (ms + 500) / 1000; {
	case ms < 9_950 && (ms+50)/100%10 != 0:
		return fmt.Sprintf("%.1f s", float64(ms)/1000)
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600 && s%60 == 0:
		return fmt.Sprintf("%d min", s/60)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	default:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// because adds a client's own word for a cause.
func because(cause string) string {
	if words, known := causes[cause]; known {
		cause = words
	}
	if cause == "" || len(cause) > longestCause || strings.Trim(cause, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -") != "" {
		return "" // a client's word, but not a sentence that looks like ours
	}
	return " (" + cause + ")"
}

// longestCause is how long a client's own word may be to stand in a sentence, in bytes.
const longestCause = 40

// causes are the clients' codes for what makes quality bad.
var causes = map[string]string{
	"none": "", "upload-small": "the upload is too small", "download-small": "the download is too small",
	"loss": "packets were lost", "delay": "a long way", "jitter": "packets came unevenly",
	"relay-tcp": "relayed over TCP or TLS", "cpu": "the machine did not keep up",
	"their-network": "the other one's network", "their-device": "the other one's machine", "reconnecting": "reconnecting",
}
