package signalserver

import (
	"net/netip"
	"time"

	"github.com/parley-rtc/parley/internal/signal"
)

// Person is somebody who took a seat, for an Observer.
type Person struct {
	// Seat and Name are the seat's.
	Seat, Name string
	// Role is what they are in the room.
	Role signal.Role
	// Client is the program that they came with, which is the door: "parley-web", "parley-go" and so on.
	Client signal.Client
	// Address is where they come from, as limits count it; invalid when that is not known any more.
	Address netip.Prefix
}

// Observer is told what happens in rooms; the call record is made of it. The loops that own the rooms call it: its
// methods are quick, never block and are safe for concurrent use. Everything about one room comes in order, and at
// never goes back within it by more than the clock does.
//
// A room begins when its first seat is taken and ends with its last one; began names one such life of a room, also
// after a restart of the server.
type Observer interface {
	// RoomBegan says that the room began to exist.
	RoomBegan(room string, began time.Time)
	// RoomRevived says that the room, which began before the server restarted, goes on. Everybody in it is away until
	// SeatBack says otherwise.
	RoomRevived(room string, began, at time.Time, people []Person)
	// RoomEnded says that nobody has a seat in it any more.
	RoomEnded(room string, at time.Time)
	// SeatJoined says that somebody sat down in the room itself, not in its waiting room.
	SeatJoined(room string, at time.Time, p Person)
	// SeatHeld says which session sits on a seat now; it comes after SeatJoined, and again when that changes.
	SeatHeld(room, seat, session string)
	// SeatAway says that a seat's client lost its connection, and SeatBack that it, or another of the same person, is
	// there again.
	SeatAway(room string, at time.Time, seat string)
	// SeatBack is the end of SeatAway.
	SeatBack(room string, at time.Time, seat string)
	// SeatLeft says that a seat is gone.
	SeatLeft(room string, at time.Time, seat string, why signal.LeftReason)
	// Topology says that a switch of the room's topology began, with t.Next, or ended; missing is the seat that it failed for,
	// if it did.
	Topology(room string, at time.Time, t signal.Topology, missing string)
	// Report hands on what a client that sits in the room says about its own call. Nothing of it is proven.
	Report(room string, at time.Time, seat string, events []signal.ReportEvent)
	// Call returns the identifier of the room's call record and the secret by which this seat reads it, for "joined";
	// both empty when no record is kept. It comes after SeatJoined.
	Call(room, seat string) (id, token string)
}
