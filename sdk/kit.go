package parley

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/logging"
	"github.com/pion/sdp/v3"
	"github.com/pion/stun/v4"
	"github.com/pion/transport/v4"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/internal/signal"
	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

// levelURI is the header extension for the client-to-mixer audio level (RFC 6464).
const levelURI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

// captureURI is the header extension for the time of capture, by which a frame is known that comes by two ways
// (package seam).
const captureURI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"

// keepAlive is how often ICE shows that the path in use is wanted.
const keepAlive = 200 * time.Millisecond

// hastyWait is how long a hasty link waits for a direct way once it could take a relayed one.
const hastyWait = 300 * time.Millisecond

// kit makes the peer connections of one room.
type kit struct {
	address address
	options Options
	direct  plan // of links with other people
	hub     plan // of those with the hub
	network transport.Net
	virtual bool                        // network is not the real one
	tune    func(*webrtc.SettingEngine) // makes a peer hostile, in tests; else nil
	relay   *relayDialer
	only    string // one way to the relay, "" for all
}

// plan is what a connection carries, and the feedback about it.
type plan struct {
	engine   *webrtc.MediaEngine
	registry *interceptor.Registry
}

// newKit prepares for the codecs this package carries, and for short set-up times. network is nil for the real one.
func newKit(a address, o Options, network transport.Net) (*kit, error) {
	k := &kit{
		address: a, options: o, network: network, virtual: network != nil, relay: &relayDialer{options: o}, only: o.RelayOver,
	}
	var err error
	if k.direct, err = newPlan(false); err != nil {
		return nil, fmt.Errorf("parley: %w", err)
	}
	if k.hub, err = newPlan(true); err != nil {
		return nil, fmt.Errorf("parley: %w", err)
	}
	if network == nil {
		real, err := newResolver(o.Lookup)
		if err != nil {
			return nil, err
		}
		k.network = real
	}
	return k, nil
}

// settings are those of one connection.
func (k *kit) settings(how transports) webrtc.SettingEngine {
	se := webrtc.SettingEngine{LoggerFactory: quiet()}
	se.SetDTLSInsecureSkipHelloVerify(true) // ICE has proved the path, and it saves a round trip
	se.DisableCloseByDTLS(true)             // the room says who is gone; a link ends when its owner drops it
	se.SetICEProxyDialer(k.relay)
	se.SetSCTPRTOMax(time.Second) // beats and control messages go on a second after the path does
	se.SetICEMaxBindingRequests(7 + maxNudges)
	se.DisableActiveTCP(!how.tcp) // a nudge names an address that nobody is to be called at
	// An agent that was connected looks at its new pairs only at the next keep-alive after a restart.
	se.SetICETimeouts(5*time.Second, 25*time.Second, keepAlive)
	// Host pairs are taken at once; better pairs than a relay get a moment, because the choice is final.
	se.SetSrflxAcceptanceMinWait(100 * time.Millisecond)
	se.SetPrflxAcceptanceMinWait(200 * time.Millisecond)
	se.SetRelayAcceptanceMinWait(time.Second)
	if k.options.Relay || how.relay {
		se.SetPrflxAcceptanceMinWait(0)
		se.SetRelayAcceptanceMinWait(0)
	}
	if how.hasty {
		se.SetRelayAcceptanceMinWait(hastyWait)
		// Every check from a relayed address waits for a permission, and all others wait with it; the relay gives none for
		// private addresses, whose turn is on the link that this one competes with. A relay may have one itself.
		se.SetRemoteIPFilter(func(ip net.IP) bool { return !ip.IsPrivate() || how.relays.has(ip) })
	}
	// With a filter the agent asks STUN from every address of its own, not from whichever the system takes: so it is
	// known which uplink a path uses, and paths by all of them are found.
	se.SetInterfaceFilter(func(name string) bool { return k.options.Interfaces == nil || k.options.Interfaces(name) })
	se.SetIncludeLoopbackCandidate(k.loopback())
	if how.uplink == "" {
		se.SetNet(k.network)
	} else {
		se.SetNet(&uplink{Net: k.network, name: how.uplink, virtual: k.virtual})
	}
	if k.virtual {
		se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled) // it would use the real one
	}
	se.SetSCTPMaxMessageSize(2 * transfer.MaxFrame) // a larger message would be kept in memory until it is whole
	if k.tune != nil {
		k.tune(&se)
	}
	return se
}

func (k *kit) loopback() bool { return k.address.local || k.options.Interfaces != nil }

// newPlan sets up Opus and VP8 with retransmission, reports, and the feedback that a browser's bandwidth estimation needs.
// With the hub lost sound is asked for, too: it has what it sent, and repeats it as it was. So do we, whose packets do not
// tell when they left: the same packet twice is one to AES-GCM. Between two people, the other one may be a browser, which
// would write another header and so use a nonce twice (RFC 7714 §8.1).
func newPlan(hub bool) (plan, error) {
	p := plan{engine: &webrtc.MediaEngine{}, registry: &interceptor.Registry{}}
	if err := registerMedia(p.engine, hub); err != nil {
		return plan{}, err
	}
	return p, registerInterceptors(p.registry, hub)
}

func registerMedia(engine *webrtc.MediaEngine, hub bool) error {
	opus := webrtc.RTPCodecParameters{PayloadType: 111, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
	}}
	if err := engine.RegisterCodec(opus, webrtc.RTPCodecTypeAudio); err != nil {
		return err
	}
	for _, c := range []webrtc.RTPCodecParameters{
		{PayloadType: 96, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: []webrtc.RTCPFeedback{{Type: "ccm", Parameter: "fir"}},
		}},
		{PayloadType: 97, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=96",
		}},
	} {
		if err := engine.RegisterCodec(c, webrtc.RTPCodecTypeVideo); err != nil {
			return err
		}
	}
	audio, video := webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo
	for _, x := range []struct {
		uri  string
		kind []webrtc.RTPCodecType
	}{
		{sdp.SDESMidURI, []webrtc.RTPCodecType{audio, video}},
		{sdp.SDESRTPStreamIDURI, []webrtc.RTPCodecType{video}},
		{sdp.SDESRepairRTPStreamIDURI, []webrtc.RTPCodecType{video}},
		{sdp.TransportCCURI, []webrtc.RTPCodecType{audio, video}},
		{levelURI, []webrtc.RTPCodecType{audio}},
		{captureURI, []webrtc.RTPCodecType{audio}},
	} {
		for _, kind := range x.kind {
			if err := engine.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: x.uri}, kind); err != nil {
				return err
			}
		}
	}
	engine.RegisterFeedback(webrtc.RTCPFeedback{Type: "nack"}, video)
	engine.RegisterFeedback(webrtc.RTCPFeedback{Type: "nack", Parameter: "pli"}, video)
	engine.RegisterFeedback(webrtc.RTCPFeedback{Type: webrtc.TypeRTCPFBTransportCC}, video)
	engine.RegisterFeedback(webrtc.RTCPFeedback{Type: webrtc.TypeRTCPFBTransportCC}, audio)
	if hub {
		engine.RegisterFeedback(webrtc.RTCPFeedback{Type: "nack"}, audio)
	}
	return nil
}

// codec is what a source of somebody's comes as, through the hub: the codecs of newPlan are all there are.
func (k *kit) codec(source Source) webrtc.RTPCodecParameters {
	codec := webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: codecOf(source), ClockRate: 90000}}
	if kindOf(source) == webrtc.RTPCodecTypeAudio {
		codec.ClockRate = 48000
	}
	return codec
}

const (
	// lackEach is how often the hub is asked for what is missing, maxLacks how many times for one packet: for a second. Sound
	// that comes later is of no use to a listener.
	lackEach = 40 * time.Millisecond
	maxLacks = 25
)

// registerInterceptors adds what sends feedback and answers it. Left to themselves they log to the program's standard error.
func registerInterceptors(registry *interceptor.Registry, hub bool) error {
	responder, err := nack.NewResponderInterceptor(nack.WithResponderLoggerFactory(quiet()))
	if err != nil {
		return err
	}
	asking := []nack.GeneratorOption{nack.WithGeneratorLoggerFactory(quiet())}
	if hub {
		asking = append(asking, nack.GeneratorInterval(lackEach), nack.GeneratorMaxNacksPerPacket(maxLacks))
	}
	generator, err := nack.NewGeneratorInterceptor(asking...)
	if err != nil {
		return err
	}
	receiver, err := report.NewReceiverInterceptor(report.WithReceiverLoggerFactory(quiet()))
	if err != nil {
		return err
	}
	sender, err := report.NewSenderInterceptor(report.WithSenderLoggerFactory(quiet()))
	if err != nil {
		return err
	}
	feedback, err := twcc.NewSenderInterceptor(twcc.WithLoggerFactory(quiet()))
	if err != nil {
		return err
	}
	for _, f := range []interceptor.Factory{responder, generator, receiver, sender, feedback} {
		registry.Add(f)
	}
	return nil
}

// connection makes a peer connection that knows the servers of ice.
func (k *kit) connection(p plan, ice *signal.ICEServers, how transports) (*webrtc.PeerConnection, error) {
	api := webrtc.NewAPI(
		webrtc.WithMediaEngine(p.engine), webrtc.WithInterceptorRegistry(p.registry),
		webrtc.WithSettingEngine(k.settings(how)),
	)
	return api.NewPeerConnection(k.configuration(ice, how))
}

func (k *kit) configuration(ice *signal.ICEServers, how transports) webrtc.Configuration {
	c := webrtc.Configuration{ICEServers: k.servers(ice, how.over), BundlePolicy: webrtc.BundlePolicyMaxBundle}
	if k.options.Relay || how.relay {
		c.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	}
	return c
}

// servers picks the servers that the options allow. An address that offers TLS is not asked over plain TCP as well:
// where TCP passes TLS passes, and the dialer of the relay sees only the address.
func (k *kit) servers(ice *signal.ICEServers, over []string) (list []webrtc.ICEServer) {
	if ice == nil {
		return nil
	}
	secure := make(map[string]bool)
	for _, server := range ice.Servers {
		for _, raw := range server.URLs {
			if u, err := stun.ParseURI(raw); err == nil && way(u) == "tls" && (k.only == "" || k.only == "tls") {
				secure[hostPort(u)] = true
			}
		}
	}
	k.relay.secure(secure)
	for _, server := range ice.Servers {
		out := webrtc.ICEServer{Username: server.Username, Credential: server.Credential}
		for _, raw := range server.URLs {
			u, err := stun.ParseURI(raw)
			if err != nil {
				continue // a server of a kind that this version does not know
			}
			w := way(u)
			if w == "tcp" && secure[hostPort(u)] {
				continue
			}
			if len(over) > 0 && !slices.Contains(over, w) {
				continue
			}
			if k.only == "" || w == "stun" || w == k.only {
				out.URLs = append(out.URLs, raw)
			}
		}
		if len(out.URLs) > 0 {
			list = append(list, out)
		}
	}
	return list
}

// way says how u is reached: stun, or a relay over udp, tcp, tls or dtls.
func way(u *stun.URI) string {
	switch {
	case u.Scheme == stun.SchemeTypeSTUN || u.Scheme == stun.SchemeTypeSTUNS:
		return "stun"
	case u.Scheme == stun.SchemeTypeTURNS && u.Proto == stun.ProtoTypeUDP:
		return "dtls"
	case u.Scheme == stun.SchemeTypeTURNS:
		return "tls"
	case u.Proto == stun.ProtoTypeTCP:
		return "tcp"
	}
	return "udp"
}

func hostPort(u *stun.URI) string { return net.JoinHostPort(u.Host, fmt.Sprint(u.Port)) }

// relayDialer opens the TCP connections to relays, so that the options' trust and dialer hold for them.
type relayDialer struct {
	options Options
	mu      sync.Mutex
	tls     map[string]bool
}

func (d *relayDialer) secure(addresses map[string]bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tls = addresses
}

// Dial implements the dialer of the ICE agent, which leaves TLS to it.
func (d *relayDialer) Dial(network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	conn, err := d.options.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	secure := d.tls[address]
	d.mu.Unlock()
	if !secure {
		return newLeaky(conn), nil
	}
	host, _, err := net.SplitHostPort(address)
	if err == nil {
		over := tls.Client(conn, d.options.tlsConfig(strings.TrimSuffix(host, ".")))
		if err = over.HandshakeContext(ctx); err == nil {
			return newLeaky(over), nil
		}
	}
	_ = conn.Close() // the handshake's error says more
	d.options.Log.Warn("no TLS to the relay", "address", address, "err", err)
	return nil, err
}

// addresses is a set of IP addresses, which the agent asks in goroutines of its own.
type addresses struct {
	mu  sync.Mutex
	all map[string]bool
}

func (a *addresses) add(ip string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.all) < maxPending {
		a.all[ip] = true
	}
}

func (a *addresses) has(ip net.IP) bool {
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all[ip.String()]
}

// quiet keeps the transport's own log lines away: what matters of them comes back as errors and states.
func quiet() logging.LoggerFactory {
	return &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled, ScopeLevels: map[string]logging.LogLevel{}}
}
