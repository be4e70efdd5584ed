package server

import (
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/apiserver"
	"github.com/parley-rtc/parley/internal/signal"
)

// switches counts the changes of topology of all rooms, and passes them on to the record.
type switches struct {
	mu                             sync.Mutex
	under                          map[string]change // by room
	begun, done, failed, calledOff uint64
	took                           time.Duration // of those that were done
}

// change is a switch that is under way.
type change struct {
	to    signal.TopologyKind
	since time.Time
}

func (w *switches) count(room string, at time.Time, t signal.Topology, missing string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.Next != "" {
		if w.under == nil {
			w.under = map[string]change{}
		}
		w.under[room] = change{t.Next, at}
		w.begun++
		return
	}
	was, ok := w.under[room]
	delete(w.under, room)
	switch {
	case !ok: // begun before a restart, or a room that begins on the hub
	case t.Kind == was.to:
		w.done++
		w.took += at.Sub(was.since)
	case missing != "":
		w.failed++
	default:
		w.calledOff++
	}
}

// counting is a witness that counts.
type counting struct {
	witness
	*switches
}

// Topology implements signalserver.Observer.
func (c counting) Topology(room string, at time.Time, t signal.Topology, missing string) {
	c.count(room, at, t, missing)
	c.witness.Topology(room, at, t, missing)
}

// RoomEnded implements signalserver.Observer.
func (c counting) RoomEnded(room string, at time.Time) {
	c.mu.Lock()
	delete(c.under, room)
	c.mu.Unlock()
	c.witness.RoomEnded(room, at)
}

// metrics are what a monitor may ask for.
func (s *Server) metrics() []apiserver.Metric {
	port := s.port.Stats()
	w := &s.switches
	w.mu.Lock()
	defer w.mu.Unlock()
	list := []apiserver.Metric{
		{Name: "parley_port_rtp_received_total", Help: "Datagrams of media that came to the port.", Value: float64(port.RTP)},
		{Name: "parley_port_sent_total", Help: "Datagrams that the media plane sent.", Value: float64(port.Sent)},
		{Name: "parley_port_passed_total", Help: "Datagrams that one loop passed to another.", Value: float64(port.Passed)},
		{Name: "parley_port_pass_lost_total", Help: "Datagrams lost on the way from one loop to another.", Value: float64(port.PassLost)},
		{Name: "parley_port_panics_total", Help: "Faults of ours while packets were handled.", Value: float64(port.Panics)},
		{Name: "parley_switches_begun_total", Help: "Changes between direct and the hub that began.", Value: float64(w.begun)},
		{Name: "parley_switches_done_total", Help: "Changes that everybody went through.", Value: float64(w.done)},
		{Name: "parley_switches_failed_total", Help: "Changes that somebody's network stopped.", Value: float64(w.failed)},
		{Name: "parley_switches_called_off_total", Help: "Changes whose reason was gone before they ended.", Value: float64(w.calledOff)},
		{Name: "parley_switches_seconds_total", Help: "How long the changes took that were done, together.", Value: w.took.Seconds()},
	}
	if s.media == nil {
		return list
	}
	media, hub := s.media.Stats(), s.hub.Stats()
	return append(list,
		apiserver.Metric{Name: "parley_hub_rooms", Help: "Rooms that somebody has a link with the hub in.", Value: float64(media.Rooms)},
		apiserver.Metric{Name: "parley_hub_transports", Help: "Links with the hub.", Value: float64(media.Transports)},
		apiserver.Metric{Name: "parley_hub_faults_total", Help: "Links that ended by a fault of ours.", Value: float64(media.Faults)},
		apiserver.Metric{Name: "parley_hub_handshakes", Help: "DTLS handshakes under way.", Value: float64(media.DTLS.HalfOpen)},
		apiserver.Metric{Name: "parley_hub_handshakes_failed_total", Help: "DTLS handshakes that failed.", Value: float64(media.DTLS.Failed)},
		apiserver.Metric{Name: "parley_hub_offers_refused_total", Help: "Offers that the hub refused.", Value: float64(hub.Refused)},
		apiserver.Metric{Name: "parley_hub_data_waiting_bytes", Help: "Programs' data that wait for their receivers.", Value: float64(hub.Waiting)},
		apiserver.Metric{Name: "parley_hub_data_cut_total", Help: "Channels closed because their receiver was too far behind.", Value: float64(hub.Cut)},
	)
}
