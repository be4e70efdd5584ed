package signal

import "math"

// maxReported bounds the candidates of one event, and maxAddress an address with its port, in bytes.
const (
	maxReported = 64
	maxAddress  = 96
)

func (m *Report) need(Side) []string { return []string{"events"} }

func (m *Report) field(r *reader, key string) bool {
	if key != "events" {
		return false
	}
	r.array(MaxReport, func() {
		m.Events = append(m.Events, ReportEvent{})
		m.Events[len(m.Events)-1].read(r)
	})
	return true
}

func (e *ReportEvent) read(r *reader) {
	r.object([]string{"at", "kind"}, func(key string) bool {
		switch key {
		case "at":
			e.At = int64(r.number(maxNumber))
		case "kind":
			e.Kind = r.reportKind()
		case "seat":
			e.Seat = r.id()
		case "link":
			e.Link = r.id()
		case "source":
			e.Source = r.source()
		case "ms":
			e.MS = int64(r.number(math.MaxInt32))
		case "cause":
			e.Cause = r.prose(MaxCause)
		default:
			return e.details(r, key)
		}
		return true
	})
}

// details reads the fields that only some kinds have.
func (e *ReportEvent) details(r *reader, key string) bool {
	switch key {
	case "path":
		e.Path = new(ReportPath)
		e.Path.read(r)
	case "candidates":
		r.array(maxReported, func() {
			e.Candidates = append(e.Candidates, ReportCandidate{})
			e.Candidates[len(e.Candidates)-1].read(r)
		})
	case "pair":
		e.Pair = new(ReportPair)
		e.Pair.read(r)
	case "switch":
		e.Switch = new(ReportSwitch)
		e.Switch.read(r)
	case "level":
		level := int(r.number(2))
		e.Level = &level
	case "score":
		e.Score = int(r.number(500))
	default:
		return false
	}
	return true
}

func (r *reader) reportKind() ReportKind {
	return enum(r, ReportGathered, ReportPairTried, ReportICEConnected, ReportDTLSConnected, ReportFirstPacket,
		ReportFirstFrame, ReportPathChanged, ReportStalled, ReportRestart, ReportReplaced, ReportRecovered, ReportQuality,
		ReportVideoPaused, ReportVideoResumed, ReportDevice, ReportSignallingLost, ReportSignallingBack, ReportTransfer,
		ReportSwitched, ReportNote)
}

func (s *ReportSwitch) read(r *reader) {
	r.object([]string{"from", "to", "epoch", "gapMs"}, func(key string) bool {
		switch key {
		case "from":
			s.From = r.topologyKind()
		case "to":
			s.To = r.topologyKind()
		case "epoch":
			s.Epoch = r.number(maxNumber)
		case "gapMs":
			s.GapMS = int64(r.number(math.MaxInt32))
		case "playoutMs":
			s.PlayoutMS = r.signed(math.MaxInt32)
		default:
			return false
		}
		return true
	})
}

func (p *ReportPath) read(r *reader) {
	r.object([]string{"kind"}, func(key string) bool {
		switch key {
		case "kind":
			p.Kind = enum(r, PathConnecting, PathDirect, PathRelayed, PathHub, PathLost)
		case "protocol":
			p.Protocol = r.transport()
		case "server":
			p.Server = r.visible(maxURL)
		default:
			return false
		}
		return true
	})
}

func (c *ReportCandidate) read(r *reader) {
	r.object([]string{"type", "protocol"}, func(key string) bool {
		switch key {
		case "type":
			c.Type = enum(r, CandidateHost, CandidateServerReflexive, CandidatePeerReflexive, CandidateRelay)
		case "protocol":
			c.Protocol = r.transport()
		case "address":
			c.Address = r.visible(maxAddress)
		case "relay":
			c.Relay = r.transport()
		default:
			return false
		}
		return true
	})
}

func (p *ReportPair) read(r *reader) {
	r.object([]string{"local", "remote", "state"}, func(key string) bool {
		switch key {
		case "local":
			p.Local.read(r)
		case "remote":
			p.Remote.read(r)
		case "state":
			p.State = enum(r, PairWon, PairTried, PairFailed)
		default:
			return false
		}
		return true
	})
}

func (r *reader) transport() Transport { return enum(r, TransportUDP, TransportTCP, TransportTLS) }
