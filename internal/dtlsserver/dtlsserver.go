// Package dtlsserver makes the keys of the media plane and carries its data channels: DTLS (RFC 6347, RFC 5764) by pion/dtls, SCTP
// and data channels (RFC 8831, RFC 8832) by pion/sctp and pion/datachannel, all behind the interface that package peer declares.
//
// # Contract
//
//   - [Association] is a peer.Handshake: Start, Handle and Close never block and may be called from the loop that owns the transport.
//     What the association has to say it says to its [Owner], from goroutines of its own and never from within those three.
//   - **Who the peer is, is what signalling said**: a certificate whose fingerprint is not the one of its description ends the
//     handshake.
//   - **Everything is bounded**: associations whose handshake is not done (ErrBusy), the datagrams that wait for pion (more are
//     dropped, as by a network), channels, the size of a message, what waits to be sent (ErrFull).
//   - pion's goroutines and timers stay in here and end with the association.
//
// # Goroutines
//
// One of ours for each association, with three of pion's for DTLS; with data channels, three more for SCTP and one for each channel.
package dtlsserver

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/pion/logging"
)

const (
	// MaxHalfOpen is how many handshakes may be under way at once unless the configuration says otherwise. One takes a few ms of
	// computing and, when the peer is silent, about 40 kB for as long as HandshakeTime.
	MaxHalfOpen = 1024
	// HandshakeTime is how long a handshake may take.
	HandshakeTime = 30 * time.Second
	// MaxChannels is how many data channels a peer may have opened, beside those that are negotiated; one more is closed.
	MaxChannels = 64
	// MaxOpened is how many we may have opened to it: others decide over those, so they take nothing away from what it may open itself.
	MaxOpened = 256
	// MaxMessage is the longest message of a data channel, either way, in bytes: what the answer announces.
	MaxMessage = 256 << 10
	// MaxBuffered is how much of a peer's data may wait to be sent, in bytes, over all of its channels.
	MaxBuffered = 1 << 20
	// MaxReserved is how much more may wait when it is for a negotiated channel.
	MaxReserved = 256 << 10

	// streams is how many streams we use: Chromium takes no channel on the 1,025th or a later one. Half of them are ours to open, more
	// than MaxOpened, and those that a peer may have taken of them.
	streams = 1024
	// maxSurplus is how many channels beyond MaxChannels may be on their way to being closed. Beyond, the peer's data association ends;
	// its media go on.
	maxSurplus = 64
	// received is how much of a peer's data may wait to be read: a longest message, and as much again on its way.
	received = 2 * MaxMessage
	// flight is after how long a flight of the handshake is sent again at first; the time doubles.
	flight = 200 * time.Millisecond
	// waiting is how many datagrams, and bytes of them, may wait for pion.
	waiting, waitingBytes = 256, 384 << 10
)

var (
	// ErrBusy says that there are too many handshakes under way: the peer may try again.
	ErrBusy = errors.New("dtlsserver: too many handshakes are under way, try again")
	// ErrFingerprint says that the peer's certificate is not the one that its description names: the peer's fault, or somebody is
	// between us.
	ErrFingerprint = errors.New("dtlsserver: the peer's certificate is not the one that its description names")
	// ErrProfile says that the peer knows none of our ways to protect media.
	ErrProfile = errors.New("dtlsserver: the peer knows no SRTP profile of ours")
	// ErrFull says that more is waiting to be sent than may: wait for Low.
	ErrFull = errors.New("dtlsserver: too much is waiting to be sent on the data channels")
	// ErrLong says that a message is longer than the peer takes, or than we send.
	ErrLong = errors.New("dtlsserver: the message is too long for the peer")
	// ErrNoData says that there is no data association, or not yet.
	ErrNoData = errors.New("dtlsserver: the peer has no data association (yet)")
	// ErrChannels says that all the channels that we may open to a peer are.
	ErrChannels = errors.New("dtlsserver: too many data channels are open")
)

// Config is what a server is made of.
type Config struct {
	// MaxHalfOpen bounds the handshakes that are under way; 0 for the constant of that name.
	MaxHalfOpen int
}

// Server makes associations. Its methods may be called from any goroutine.
type Server struct {
	certificate tls.Certificate
	sum         [sha256.Size]byte
	logs        logging.LoggerFactory
	halfOpen    chan struct{}
	base        context.Context
	stop        context.CancelFunc

	mu      sync.Mutex // of running and closed
	running sync.WaitGroup
	closed  bool

	opened, failed, busy, dropped atomic.Uint64
}

// New makes the certificate, which lives as long as the server: ECDSA P-256, made up anew at each start (RFC 8827 §6.5).
func New(c Config) (*Server, error) {
	certificate, err := newCertificate()
	if err != nil {
		return nil, fmt.Errorf("dtlsserver: no certificate can be made: %w", err)
	}
	if c.MaxHalfOpen <= 0 {
		c.MaxHalfOpen = MaxHalfOpen
	}
	s := &Server{
		certificate: certificate,
		sum:         sha256.Sum256(certificate.Certificate[0]),
		// pion tells of each peer's faults; we tell the owner instead.
		logs:     &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
		halfOpen: make(chan struct{}, c.MaxHalfOpen),
	}
	s.base, s.stop = context.WithCancel(context.Background())
	return s, nil
}

func newCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return tls.Certificate{}, err
	}
	// Peers look at the fingerprint only. The dates are wide so that no clock is in the way.
	template := x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "WebRTC"},
		NotBefore:    time.Now().AddDate(0, 0, -1),
		NotAfter:     time.Now().AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// Fingerprint returns the fingerprint for our descriptions.
func (s *Server) Fingerprint() sdp.Fingerprint {
	return sdp.Fingerprint{Algorithm: "sha-256", Sum: s.sum[:]}
}

// Stats counts associations since the start, and those that are.
type Stats struct {
	// HalfOpen is how many handshakes are under way.
	HalfOpen int
	// Opened have made their keys, Failed have not, Busy were refused by ErrBusy.
	Opened, Failed, Busy uint64
	// Dropped are datagrams that came faster than pion took them.
	Dropped uint64
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	return Stats{len(s.halfOpen), s.opened.Load(), s.failed.Load(), s.busy.Load(), s.dropped.Load()}
}

// Close ends all associations and waits until they have ended.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.running.Wait()
}

// run starts a goroutine that Close waits for; it is false when the server has closed.
func (s *Server) run(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.running.Go(f)
	return true
}
