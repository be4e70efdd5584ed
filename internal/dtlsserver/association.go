package dtlsserver

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/srtp"
	"github.com/pion/dtls/v3"
	"github.com/pion/sctp"
)

// Owner is told what an association has to say, from goroutines of its own. It passes it on to the loop that owns the transport.
// While it does not return, the association waits, which is how a peer that sends too fast is held back.
type Owner interface {
	// SendDTLS is given a datagram to send, to keep.
	SendDTLS(datagram []byte)
	// SetKeys is given the keys, once.
	SetKeys(Keys)
	// Ended says that the association has ended, if it was started: before SetKeys, that the handshake failed. The error is nil when it was closed by
	// us, io.EOF when the peer said goodbye.
	Ended(error)
	// Opened says that a data channel is open, whoever opened it. Message, Low and Closed of it come later.
	Opened(*Channel)
	// Message is given a message, valid during the call.
	Message(c *Channel, data []byte, text bool)
	// Low says that less than a quarter of MaxBuffered waits to be sent on the channel, after there was more.
	Low(*Channel)
	// Closed says that a data channel has closed.
	Closed(*Channel)
}

// Keys are what a handshake has made for SRTP (RFC 5764 §4.2): Local seals what we send.
type Keys struct {
	Profile                                    srtp.Profile
	LocalKey, LocalSalt, RemoteKey, RemoteSalt []byte
}

// Params are what an association is made of.
type Params struct {
	// Client says that we are the DTLS client.
	Client bool
	// Fingerprints are those of the peer's description; one of them must be its certificate's.
	Fingerprints []sdp.Fingerprint
	// Data says that data channels were agreed on, and MaxMessage how long a message the peer takes, in bytes, 0 for any length.
	Data       bool
	MaxMessage uint64
	// Negotiated are channels that both sides know of without being told (RFC 8831 §6.4): they are open at once.
	Negotiated []ChannelConfig
	Owner      Owner
}

// Association is one peer's DTLS connection, and the data channels in it.
type Association struct {
	server *Server
	params Params
	wire   *wire
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	started  bool
	sctp     *sctp.Association // nil while there is none
	channels map[uint16]*Channel
	nextID   uint16
	theirs   int // channels that the peer has opened
	ours     int // that we have
	surplus  int // streams of the peer's that are being refused
}

// Open makes an association that waits for Start.
func (s *Server) Open(p Params) *Association {
	a := &Association{server: s, params: p, channels: map[uint16]*Channel{}}
	// RFC 8832 §6: the DTLS client's channels have even numbers.
	if !p.Client {
		a.nextID = 1
	}
	a.wire = newWire(p.Owner.SendDTLS)
	a.ctx, a.cancel = context.WithCancel(s.base)
	return a
}

// Start begins the handshake: it is for peer.Handshake.
func (a *Association) Start(ice.Path) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.started || a.ctx.Err() != nil {
		return
	}
	a.started = a.server.run(a.live)
}

// Handle takes a datagram of the peer's and copies it: it is for peer.Handshake.
func (a *Association) Handle(datagram []byte) {
	if !a.wire.put(datagram) {
		a.server.dropped.Add(1)
	}
}

// Close ends the association, or one that was never started: it is for peer.Handshake. The goodbye comes to the owner afterwards.
func (a *Association) Close() {
	a.cancel()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.started {
		_ = a.wire.Close()
	}
}

func (a *Association) live() {
	defer func() { _ = a.wire.Close() }()
	select {
	case a.server.halfOpen <- struct{}{}:
	default:
		a.server.busy.Add(1)
		a.params.Owner.Ended(ErrBusy)
		return
	}
	conn, err := a.shake()
	<-a.server.halfOpen
	if err != nil {
		a.server.failed.Add(1)
		if a.ctx.Err() != nil {
			err = nil
		}
		a.params.Owner.Ended(err)
		return
	}
	a.server.opened.Add(1)
	defer context.AfterFunc(a.ctx, func() { _ = conn.Close() })()
	if a.params.Data {
		a.carry(conn)
	}
	err = a.listen(conn)
	_ = conn.Close()
	switch {
	case a.ctx.Err() != nil:
		err = nil
	case errors.Is(err, io.EOF) || errors.Is(err, dtls.ErrConnClosed):
		err = io.EOF
	}
	a.params.Owner.Ended(err)
}

// listen is what is left without data, or without them any more: to hear the goodbye.
func (a *Association) listen(conn *dtls.Conn) error {
	rest := make([]byte, 2<<10)
	for {
		_, err := conn.Read(rest)
		if late := net.Error(nil); errors.As(err, &late) && late.Timeout() {
			err = conn.SetReadDeadline(time.Time{}) // how SCTP has ended its reading
		}
		if err != nil {
			return err
		}
	}
}

// shake makes the connection and its keys.
func (a *Association) shake() (*dtls.Conn, error) {
	ctx, cancel := context.WithTimeout(a.ctx, HandshakeTime)
	defer cancel()
	// What pion says of a refused certificate is its own words, so ours are kept here.
	var refused error
	verify := func(raw [][]byte, _ [][]*x509.Certificate) error {
		refused = a.verify(raw)
		return refused
	}
	conn, err := a.dial(verify)
	if err != nil {
		return nil, fmt.Errorf("dtlsserver: %w: our fault", err)
	}
	if err = conn.HandshakeContext(ctx); err == nil {
		var keys Keys
		if keys, err = export(conn, a.params.Client); err == nil {
			a.params.Owner.SetKeys(keys)
			return conn, nil
		}
	}
	_ = conn.Close()
	switch {
	case refused != nil:
		return nil, refused
	case ctx.Err() != nil:
		return nil, fmt.Errorf("dtlsserver: no handshake within %v: the peer is silent, or its packets are lost", HandshakeTime)
	case errors.Is(err, ErrProfile):
		return nil, err
	}
	return nil, fmt.Errorf("dtlsserver: the handshake failed: %w", err)
}

func (a *Association) dial(verify func([][]byte, [][]*x509.Certificate) error) (*dtls.Conn, error) {
	common := []dtls.Option{
		dtls.WithCertificates(a.server.certificate),
		dtls.WithCipherSuites(
			dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, dtls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		),
		// The preferred first: with AES-GCM a packet costs a fifth.
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		// The certificate signs itself; that its fingerprint is right is what counts (RFC 8827 §5.6.4).
		dtls.WithInsecureSkipVerify(true),
		dtls.WithVerifyPeerCertificate(verify),
		dtls.WithFlightInterval(flight),
		dtls.WithLoggerFactory(a.server.logs),
	}
	if a.params.Client {
		options := make([]dtls.ClientOption, len(common))
		for i, o := range common {
			options[i] = o
		}
		return dtls.ClientWithOptions(a.wire, address{}, options...)
	}
	options := []dtls.ServerOption{
		dtls.WithClientAuth(dtls.RequireAnyClientCert),
		// The path has proved itself by ICE: a cookie would prove it once more, for a round trip.
		dtls.WithInsecureSkipVerifyHello(true),
	}
	for _, o := range common {
		options = append(options, o)
	}
	return dtls.ServerWithOptions(a.wire, address{}, options...)
}

// verify holds the peer's certificate against the fingerprints of its description.
func (a *Association) verify(raw [][]byte) error {
	if len(raw) == 0 {
		return ErrFingerprint
	}
	for _, f := range a.params.Fingerprints {
		var sum []byte
		switch f.Algorithm {
		case "sha-256":
			s := sha256.Sum256(raw[0])
			sum = s[:]
		case "sha-384":
			s := sha512.Sum384(raw[0])
			sum = s[:]
		case "sha-512":
			s := sha512.Sum512(raw[0])
			sum = s[:]
		}
		if sum != nil && subtle.ConstantTimeCompare(sum, f.Sum) == 1 {
			return nil
		}
	}
	return ErrFingerprint
}

// export takes the keys for SRTP out of the connection (RFC 5764 §4.2): the client's key, the server's, their salts.
func export(conn *dtls.Conn, client bool) (Keys, error) {
	chosen, ok := conn.SelectedSRTPProtectionProfile()
	p := srtp.Profile(chosen)
	if !ok || p.KeySize() == 0 {
		return Keys{}, ErrProfile
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return Keys{}, errors.New("dtlsserver: the connection has no state: our fault")
	}
	n, m := p.KeySize(), p.SaltSize()
	b, err := state.ExportKeyingMaterial("EXTRACTOR-dtls_srtp", nil, 2*(n+m))
	if err != nil {
		return Keys{}, err
	}
	k := Keys{Profile: p, LocalKey: b[:n], RemoteKey: b[n : 2*n], LocalSalt: b[2*n : 2*n+m], RemoteSalt: b[2*n+m:]}
	if !client {
		k.LocalKey, k.RemoteKey, k.LocalSalt, k.RemoteSalt = k.RemoteKey, k.LocalKey, k.RemoteSalt, k.LocalSalt
	}
	return k, nil
}
