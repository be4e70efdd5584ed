package parley

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/sdk/internal/keyring"
	"github.com/parley-rtc/parley/sdk/internal/sframe"
)

const (
	// dataSection is the one section of all channels, as their messages are counted by one counter.
	dataSection = 0
	// maxContext is the longest context in bytes: its length takes two.
	maxContext = 65_535
)

// Kinds of sealed messages.
const (
	sealedText  = 0
	sealedBytes = 1
)

var errUnsealed = errors.New("parley: the message could not be sealed, since there is no key")

// covers are what seals the data channels that lead through the hub. It is a leaf, safe for concurrent use.
type covers struct {
	vault *vault

	mu       sync.Mutex
	me       string            // our seat
	sessions map[string]string // by seat; a stranger's is ""
	news     chan struct{}     // closed when others are here
}

func newCovers(v *vault) *covers {
	return &covers{vault: v, sessions: make(map[string]string), news: make(chan struct{})}
}

// know takes who is here.
func (c *covers) know(me *keyring.Member, others []keyring.Member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.me = ""
	if me != nil {
		c.me = me.Seat
	}
	clear(c.sessions)
	for _, m := range others {
		c.sessions[m.Seat] = m.Session
	}
	close(c.news)
	c.news = make(chan struct{})
}

// session finds who sits on a seat; "" for nobody, and for a stranger. What the hub brings may come before the server's word of who that is,
// so it waits as long as for a key.
func (c *covers) session(seat string) string {
	var limit *time.Timer
	for {
		c.mu.Lock()
		session, known := c.sessions[seat]
		news := c.news
		c.mu.Unlock()
		if known {
			return session
		}
		if limit == nil {
			limit = time.NewTimer(c.vault.patience)
			defer limit.Stop()
		}
		select {
		case <-news:
		case <-limit.C:
			return ""
		case <-c.vault.over:
			return ""
		}
	}
}

func (c *covers) own() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.me
}

// cover seals what leaves on a channel through the hub, and opens what comes on it. The channel's label and protocol, and
// whom a message is for, are sealed with it, so that the hub cannot give one for another. The nil cover leaves everything
// as it is.
type cover struct {
	covers          *covers
	label, protocol string
	seat            string // whom it leads to, "" for everybody
}

// over makes the cover of a channel; nil where nothing is sealed, which are rooms that are not encrypted, and links.
func (c *covers) over(channel *webrtc.DataChannel, seat string, hub bool) *cover {
	if c == nil || !hub {
		return nil
	}
	protocol, _, _ := strings.Cut(channel.Protocol(), ";") // behind it stands who sends, or for whom it is
	return &cover{covers: c, label: channel.Label(), protocol: protocol, seat: seat}
}

// send sends a message.
func (x *cover) send(channel *webrtc.DataChannel, data []byte, text bool) error {
	if x == nil {
		if text {
			return channel.SendText(string(data))
		}
		return channel.Send(data)
	}
	context, kind := x.context(x.seat), byte(sealedBytes)
	if text {
		kind = sealedText
	}
	if len(context) > maxContext {
		return fmt.Errorf("parley: a context of %d bytes", len(context))
	}
	message := binary.BigEndian.AppendUint16(append(make([]byte, 0, 3+len(context)+len(data)), kind), uint16(len(context)))
	sealed, ok := x.covers.vault.seal(nil, sframe.Data, append(append(message, context...), data...))
	if !ok {
		return errUnsealed
	}
	return channel.Send(sealed)
}

// open opens a message that came; ok is false for one that is not theirs, or not for us. It may wait for a key.
func (x *cover) open(m webrtc.DataChannelMessage) (opened webrtc.DataChannelMessage, ok bool) {
	if x == nil {
		return m, true
	}
	if m.IsString {
		return m, false
	}
	session := x.covers.session(x.seat)
	if session == "" {
		return m, false
	}
	plain, _, err := x.covers.vault.open(session, sframe.Data, dataSection, m.Data)
	if err != nil || len(plain) < 3 || plain[0] > sealedBytes {
		return m, false
	}
	kind, size, rest := plain[0], int(binary.BigEndian.Uint16(plain[1:])), plain[3:]
	if size > len(rest) {
		return m, false
	}
	context := string(rest[:size])
	if context != x.context(x.covers.own()) && context != x.context("") {
		return m, false
	}
	return webrtc.DataChannelMessage{IsString: kind == sealedText, Data: rest[size:]}, true
}

// context is what is sealed with a message: a list in JSON, letter for letter as a browser writes it.
func (x *cover) context(seat string) string {
	return "[" + quote(x.label) + "," + quote(x.protocol) + "," + quote(seat) + "]"
}

// quote writes a text as JSON.stringify does (ECMA-262 §25.5.2.3); encoding/json escapes more than that.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
