package dtlsserver_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/sdp"
)

// side is one end of a wire between two associations of ours, and writes down what it is told.
type side struct {
	*dtlsserver.Association
	other *side
	// lose says which datagrams do not arrive.
	lose func() bool

	mu     sync.Mutex
	keys   dtlsserver.Keys
	log    []string
	opened map[string]*dtlsserver.Channel
	got    [][]byte
	hold   chan struct{} // Message waits for it, when there is one
}

func (s *side) SendDTLS(datagram []byte) {
	if s.other != nil && (s.lose == nil || !s.lose()) {
		s.other.Handle(datagram)
	}
}

func (s *side) say(format string, a ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, fmt.Sprintf(format, a...))
}

func (s *side) SetKeys(k dtlsserver.Keys) {
	s.mu.Lock()
	s.keys = k
	s.mu.Unlock()
	s.say("keys")
}

func (s *side) hasKeys() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.keys.LocalKey) > 0
}

func (s *side) Ended(err error) { s.say("ended:%v", err) }
func (s *side) Opened(c *dtlsserver.Channel) {
	s.say("opened:%s", c.Label)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened[c.Label] = c
}

func (s *side) Message(c *dtlsserver.Channel, data []byte, text bool) {
	if s.hold != nil {
		<-s.hold
	}
	s.say("%s:%d:%v", c.Label, len(data), text)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, bytes.Clone(data))
}
func (s *side) Low(c *dtlsserver.Channel)    { s.say("low:%s", c.Label) }
func (s *side) Closed(c *dtlsserver.Channel) { s.say("closed:%s", c.Label) }

func (s *side) channel(label string) *dtlsserver.Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened[label]
}

// said is what has been said so far, and forgets it.
func (s *side) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.log = nil }()
	return strings.Join(s.log, " ")
}

// pair is two sides that are not connected yet; change may set what each of them is made of.
func pair(t testing.TB, change func(client, server *dtlsserver.Params)) (client, server *side) {
	t.Helper()
	one, err := dtlsserver.New(dtlsserver.Config{})
	must(t, err)
	two, err := dtlsserver.New(dtlsserver.Config{})
	must(t, err)
	t.Cleanup(func() { one.Close(); two.Close() })
	client, server = &side{opened: map[string]*dtlsserver.Channel{}}, &side{opened: map[string]*dtlsserver.Channel{}}
	client.other, server.other = server, client
	cp := dtlsserver.Params{Client: true, Fingerprints: []sdp.Fingerprint{two.Fingerprint()}, Data: true, Owner: client}
	sp := dtlsserver.Params{Fingerprints: []sdp.Fingerprint{one.Fingerprint()}, Data: true, Owner: server}
	if change != nil {
		change(&cp, &sp)
	}
	client.Association, server.Association = one.Open(cp), two.Open(sp)
	return client, server
}

func (s *side) begin() { s.Start(ice.Path{}) }

// joined is a pair that has had its second of virtual time to connect.
func joined(t testing.TB) (client, server *side) {
	t.Helper()
	client, server = pair(t, nil)
	client.begin()
	server.begin()
	time.Sleep(time.Second)
	return client, server
}

// The two sides have each other's keys, all four of them different, and their channels keep what they promise.
func TestPair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		agreed := []dtlsserver.ChannelConfig{{Label: "control", ID: 0}, {Label: "pointers", ID: 1, Reliability: dtlsserver.Reliability{Unordered: true, Lossy: true}}}
		client, server := pair(t, func(c, s *dtlsserver.Params) { c.Negotiated, s.Negotiated = agreed, agreed })
		if _, err := client.Open(dtlsserver.ChannelConfig{Label: "early"}); !errors.Is(err, dtlsserver.ErrNoData) {
			t.Error(err)
		}
		client.begin()
		server.begin()
		server.begin() // once is enough
		synctest.Wait()
		c, s := client.keys, server.keys
		if c.Profile != s.Profile || !bytes.Equal(c.LocalKey, s.RemoteKey) || !bytes.Equal(c.RemoteSalt, s.LocalSalt) ||
			!bytes.Equal(c.RemoteKey, s.LocalKey) || !bytes.Equal(c.LocalSalt, s.RemoteSalt) || bytes.Equal(c.LocalKey, c.RemoteKey) {
			t.Fatalf("%+v\n%+v", c, s)
		}
		time.Sleep(time.Second)
		if said := server.said(); strings.Count(said, "opened:") != 2 {
			t.Fatal(said)
		}
		client.said()
		for i, r := range []dtlsserver.Reliability{
			{}, {Unordered: true}, {Lossy: true, Retransmits: 3}, {Lossy: true, Lifetime: 250 * time.Millisecond}, {Unordered: true, Lossy: true},
		} {
			label := fmt.Sprint("channel", i)
			from, to := client, server
			if i%2 == 1 {
				from, to = server, client
			}
			ch, err := from.Open(dtlsserver.ChannelConfig{Label: label, Protocol: "p", Reliability: r})
			must(t, err)
			if even := ch.ID%2 == 0; even != (from == client) || ch.ID < 2 {
				t.Error("stream", ch.ID)
			}
			must(t, ch.Send([]byte("hello"), true))
			time.Sleep(time.Second)
			want := fmt.Sprintf("opened:%s %s:5:true", label, label)
			if got := to.said(); got != want {
				t.Fatalf("got %q, want %q, %s", got, want, from.said())
			}
			if there := to.channel(label); there.Reliability != r || there.Protocol != "p" || there.ID != ch.ID {
				t.Errorf("%+v", there.ChannelConfig)
			}
			from.said()
		}
		// A longest message, one that is too long, none at all.
		ch := client.channel("control")
		must(t, ch.Send(bytes.Repeat([]byte("0123"), dtlsserver.MaxMessage/4), false))
		must(t, ch.Send(nil, false))
		if err := ch.Send(make([]byte, dtlsserver.MaxMessage+1), false); !errors.Is(err, dtlsserver.ErrLong) {
			t.Error(err)
		}
		time.Sleep(5 * time.Second)
		if got := server.said(); got != fmt.Sprintf("control:%d:false control:0:false", dtlsserver.MaxMessage) {
			t.Error(got)
		}
		must(t, client.channel("channel1").Close())
		time.Sleep(time.Second)
		if got := server.said(); got != "closed:channel1" {
			t.Error(got)
		}
		client.said()
		client.Close()
		time.Sleep(time.Second)
		if got := client.said(); !strings.Contains(got, "ended:<nil>") {
			t.Error(got)
		}
		if got := server.said(); !strings.Contains(got, "ended:EOF") || strings.Count(got, "closed:") != 6 {
			t.Error(got)
		}
		if err := ch.Send(nil, false); !errors.Is(err, dtlsserver.ErrNoData) {
			t.Error(err)
		}
	})
}

// A receiver that does not take its messages holds its sender back, at a bounded amount; when it takes them, the sender is told.
func TestBackpressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pair(t, nil)
		server.hold = make(chan struct{})
		client.begin()
		server.begin()
		time.Sleep(time.Second)
		ch, err := client.Open(dtlsserver.ChannelConfig{Label: "bulk"})
		must(t, err)
		sent := 0
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if err = ch.Send(make([]byte, 10_000), false); err == nil {
				sent += 10_000
			} else if !errors.Is(err, dtlsserver.ErrFull) {
				t.Fatal(err)
			}
		}
		if sent < dtlsserver.MaxBuffered || sent > dtlsserver.MaxBuffered+1<<20 || ch.Buffered() > dtlsserver.MaxBuffered {
			t.Errorf("%d bytes were taken, %d wait", sent, ch.Buffered())
		}
		t.Logf("%d bytes were taken of a receiver that reads nothing", sent)
		close(server.hold)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		total := 0
		for _, m := range server.got {
			total += len(m)
		}
		if total != sent || !strings.Contains(client.said(), "low:bulk") {
			t.Errorf("%d of %d bytes arrived", total, sent)
		}
	})
}

// Every third datagram is lost: the handshake comes to its end all the same.
func TestLossyHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pair(t, nil)
		var n atomic.Int64
		lose := func() bool { return n.Add(1)%3 == 0 }
		client.lose, server.lose = lose, lose
		began := time.Now()
		client.begin()
		server.begin()
		for !client.hasKeys() || !server.hasKeys() {
			time.Sleep(10 * time.Millisecond)
			if time.Since(began) > dtlsserver.HandshakeTime {
				t.Fatal(client.said(), server.said())
			}
		}
		t.Logf("keys after %v", time.Since(began))
	})
}

// A silent peer ends the handshake when its time is over; a wrong certificate ends it at once, whoever shows it.
func TestHandshakeFails(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(c, s *dtlsserver.Params)
		lonely bool
		after  time.Duration
		client error
		server error
	}{
		{"a silent peer", nil, true, dtlsserver.HandshakeTime, nil, nil},
		{"not the server that was named", func(c, s *dtlsserver.Params) { c.Fingerprints = s.Fingerprints }, false, time.Second, dtlsserver.ErrFingerprint, nil},
		{"not the client that was named", func(c, s *dtlsserver.Params) { s.Fingerprints = c.Fingerprints }, false, time.Second, nil, dtlsserver.ErrFingerprint},
		{"nobody was named", func(c, s *dtlsserver.Params) { s.Fingerprints = nil }, false, time.Second, nil, dtlsserver.ErrFingerprint},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := pair(t, tt.change)
				if tt.lonely {
					client.other = nil
				} else {
					server.begin()
				}
				client.begin()
				time.Sleep(tt.after + time.Millisecond)
				c, s := client.said(), server.said()
				if tt.client != nil && c != fmt.Sprint("ended:", tt.client) || tt.server != nil && s != fmt.Sprint("ended:", tt.server) ||
					tt.lonely && !strings.Contains(c, "no handshake within 30s") {
					t.Errorf("client %q, server %q", c, s)
				}
				if tt.client != nil && client.hasKeys() || tt.server != nil && server.hasKeys() {
					t.Error("keys without the right certificate")
				}
			})
		})
	}
}

// An association that was closed before it began says nothing and leaves nothing.
func TestCloseEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := pair(t, nil)
		client.Close()
		client.begin()
		client.Handle([]byte("nobody reads it"))
		synctest.Wait()
		if got := client.said(); got != "" {
			t.Error(got)
		}
	})
}
