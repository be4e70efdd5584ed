// Package parley is the Go SDK of Parley: a program joins a room by its link as people do with a browser, sends sound
// and pictures, hears and sees the others, reads the chat. Media takes the most direct path there is; the signalling
// socket may break and come back without a gap in it.
//
//	room, err := parley.Join(ctx, "https://call.example.org/r/tea", parley.Options{Name: "Bot"})
//	for event := range room.Events() { … }
//
// A Room's state has one owner goroutine. Methods are commands to it and may be called from any goroutine; what
// happens comes out of Events as values, never as callbacks. A room whose events nobody reads keeps the newest ones.
//
// A link with #key=… leads into an end-to-end encrypted room (Options.Encrypt makes one): what leaves is sealed, what comes
// is opened, and what cannot be is not there. Person.Encryption says whose key was checked.
//
// The package encodes and decodes nothing: media goes in and out as Opus and VP8 frames. The folder media holds a tone,
// a test pattern, files and a recorder.
package parley

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/parley-rtc/parley/internal/signal"
)

// The words of the protocol that an application meets.
type (
	// Source is what a track shows: microphone, camera, screen or screen-audio.
	Source = signal.Source
	// MediaState says which of a person's sources are on.
	MediaState = signal.MediaState
	// Role is what a person may do in a room.
	Role = signal.Role
	// SeatState says whether a person is here, away for a moment, or waiting to be admitted.
	SeatState = signal.SeatState
	// Code says to a program why the server refused something.
	Code = signal.Code
	// ByeReason says why the server ended the session.
	ByeReason = signal.ByeReason
)

// The sources.
const (
	Microphone  = signal.SourceMicrophone
	Camera      = signal.SourceCamera
	Screen      = signal.SourceScreen
	ScreenAudio = signal.SourceScreenAudio
)

// Sources lists every source in the order of the media sections of a link.
func Sources() []Source { return []Source{Microphone, Camera, Screen, ScreenAudio} }

// Options says who joins and how. The zero value joins as "Guest" by the safest and most direct way.
type Options struct {
	// Name is what the others see, at most 64 bytes of UTF-8.
	Name string
	// Seat is the token of an earlier seat (Room.Seat): take that seat again, as a page does after a reload.
	Seat string
	// Listen joins as a listener, who sees, hears, writes and raises a hand, and sends no media (Room.Speak).
	Listen bool
	// Note tells the hosts of a waiting room who is there and why, at most 200 bytes.
	Note string
	// Encrypt makes an end-to-end encrypted room, where the link has no key: with a key of its own, which Info then tells.
	// A room that is there already is refused (see Room.Encrypt). With a link that has a key it changes nothing.
	Encrypt bool
	// Roots are the certificate authorities to trust instead of the system's, for servers with a private one. A
	// self-signed certificate is its own authority. It holds for signalling and for the relay over TLS.
	Roots *x509.CertPool
	// Insecure accepts any certificate. Whoever is on the path can then listen in and take the seat: for tests only.
	Insecure bool
	// Relay sends and takes media only through the server's relay, for people who must not see each other's addresses.
	Relay bool
	// RelayOver keeps to one way to the relay: "udp", "tcp" or "tls". Empty offers all of them.
	RelayOver string
	// Single keeps one transport with each person, without a spare one that takes over when the network below it dies, and
	// without one that carries files alone.
	Single bool
	// Hear decodes the sound that arrives, to measure its level and to tell a 440 Hz tone (Received.Level, Tone).
	Hear bool
	// Interfaces chooses the network interfaces that media may use, by name. Nil means all but loopback, and loopback
	// too when the server is on it.
	Interfaces func(name string) bool
	// Dial opens the TCP connections to the server, those to its relay included. Nil means net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Lookup finds the addresses of the server's name, and of its relay's. Nil means the system's resolver.
	Lookup func(ctx context.Context, host string) ([]net.IP, error)
	// Log gets what a developer wants to know. Nil discards it.
	Log *slog.Logger
	// Agent names the program to the server's logs; "parley-go" if empty.
	Agent string
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "Guest"
	}
	if o.Agent == "" {
		o.Agent = "parley-go"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Dial = o.dialer()
	return o
}

func (o Options) validate() error {
	switch o.RelayOver {
	case "", "udp", "tcp", "tls":
	default:
		return fmt.Errorf("parley: relay over %q: want udp, tcp or tls", o.RelayOver)
	}
	if len(o.Name) > signal.MaxName {
		return fmt.Errorf("parley: a name of %d bytes, at most %d are allowed", len(o.Name), signal.MaxName)
	}
	if len(o.Note) > signal.MaxWords {
		return fmt.Errorf("parley: a note of %d bytes, at most %d are allowed", len(o.Note), signal.MaxWords)
	}
	return nil
}

// ErrClosed is returned by the methods of a room that is over.
var ErrClosed = errors.New("parley: the room is closed")

// Refused is the server's answer to something it does not do.
type Refused struct {
	// Code is for programs: "full", "locked", "no-room", …
	Code Code
	// Field is the JSON path of the field that was wrong, if one was.
	Field string
	// Words says to a person what is wrong and what to do.
	Words string
}

func (r *Refused) Error() string {
	if r.Words == "" {
		return "parley: refused: " + string(r.Code)
	}
	return "parley: refused: " + r.Words + " (" + string(r.Code) + ")"
}

// Codes of Refused that a program may want to tell apart.
const (
	CodeNoRoom    = signal.CodeNoRoom
	CodeFull      = signal.CodeFull
	CodeLocked    = signal.CodeLocked
	CodeForbidden = signal.CodeForbidden
	CodeBadSecret = signal.CodeBadSecret
	CodeRemoved   = signal.CodeRemoved
	CodeBusy      = signal.CodeBusy
	CodeOrder     = signal.CodeOrder
	CodeNoHub     = signal.CodeNoHub
	CodeEncrypted = signal.CodeEncrypted // the room is end-to-end encrypted and the link has no key, or the other way round
)
