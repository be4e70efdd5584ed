package server

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/parley-rtc/parley/internal/apiserver"
	"github.com/parley-rtc/parley/internal/archive"
	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/internal/signalserver"
	"github.com/parley-rtc/parley/internal/trace"
)

// openCalls opens the records of calls and the API that reads them.
func (s *Server) openCalls(ctx context.Context) error {
	admin, err := openAdmin(s.cfg.Data, rand.Reader)
	if err != nil {
		return err
	}
	c := &s.cfg.Calls
	var shelf archive.Shelf
	if s.store != nil {
		shelf = s.store
	}
	s.archive = archive.Open(ctx, archive.Config{
		Keep: c.Keep, Most: c.Most, Policy: trace.Policy(c.Addresses), Grace: s.cfg.Rooms.Grace,
	}, s.keys, shelf, s.log)
	s.api = apiserver.New(apiserver.Config{Version: s.cfg.Version, Admin: admin, Local: s.local(), Metrics: s.metrics}, s.keys, s.archive, s.log)
	return nil
}

// local reports whether requests that come from this machine are taken for the admin's. Where the server has a public name,
// or a reverse proxy, they may be anybody's: a forwarder that works below HTTP leaves no mark, and then the Host header,
// which is all that is left to judge by, is the stranger's own.
func (s *Server) local() bool {
	return s.cfg.Domain == "" && s.cfg.Cert == "" && len(s.cfg.TrustedProxies) == 0
}

// witness tells the archive what signalling sees.
type witness struct{ *archive.Archive }

var _ signalserver.Observer = witness{}

func person(p signalserver.Person) trace.Person {
	out := trace.Person{Seat: p.Seat, Name: p.Name, Role: p.Role, Client: p.Client.Name, Version: p.Client.Version}
	if p.Address.IsValid() {
		out.Address = p.Address.String()
		if p.Address.IsSingleIP() {
			out.Address = p.Address.Addr().String()
		}
	}
	return out
}

// RoomBegan implements signalserver.Observer.
func (w witness) RoomBegan(room string, began time.Time) { w.Begin(room, began) }

// RoomRevived implements signalserver.Observer.
func (w witness) RoomRevived(room string, began, at time.Time, people []signalserver.Person) {
	list := make([]trace.Person, len(people))
	for i, p := range people {
		list[i] = person(p)
	}
	w.Revive(room, began, at, list)
}

// RoomEnded implements signalserver.Observer.
func (w witness) RoomEnded(room string, at time.Time) { w.End(room, at) }

// SeatJoined implements signalserver.Observer.
func (w witness) SeatJoined(room string, at time.Time, p signalserver.Person) {
	w.Join(room, at, person(p))
}

// SeatHeld implements signalserver.Observer.
func (w witness) SeatHeld(room, seat, session string) { w.Seated(room, session, seat) }

// SeatAway implements signalserver.Observer.
func (w witness) SeatAway(room string, at time.Time, seat string) { w.Away(room, at, seat) }

// SeatBack implements signalserver.Observer.
func (w witness) SeatBack(room string, at time.Time, seat string) { w.Back(room, at, seat) }

// SeatLeft implements signalserver.Observer.
func (w witness) SeatLeft(room string, at time.Time, seat string, why signal.LeftReason) {
	w.Leave(room, at, seat, why)
}

// Call implements signalserver.Observer.
func (w witness) Call(room, seat string) (id, token string) { return w.Ref(room, seat) }
