package parley

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/parley-rtc/parley/sdk/internal/keyring"
)

// address is where a room is: what a link says.
type address struct {
	socket string // the WebSocket's URL
	host   string // host name or address of the server, without port
	room   string
	secret string // host secret from the fragment
	key    string // of an encrypted room, from the fragment too
	made   bool   // the key is new: the room is to be made
	local  bool   // the server is on loopback
}

// parseAddress reads the link of a room: https://host[:port]/r/{room}[#host=secret&key=…]. Without a scheme it is https.
// The error never holds the fragment, which may be a secret.
func parseAddress(link string) (address, error) {
	link = strings.TrimSpace(link)
	fragment := ""
	if at := strings.IndexByte(link, '#'); at >= 0 {
		link, fragment = link[:at], link[at+1:]
	}
	if !strings.Contains(link, "://") {
		link = "https://" + link
	}
	u, err := url.Parse(link)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return address{}, fmt.Errorf("parley: %q is not a link: %w", link, err)
	}
	a := address{host: u.Hostname()}
	room, ok := strings.CutPrefix(u.EscapedPath(), "/r/")
	a.room = strings.TrimSuffix(room, "/")
	if !ok || a.room == "" || strings.ContainsAny(a.room, "/%") || a.host == "" {
		return address{}, fmt.Errorf("parley: %q is not the link of a room, which looks like https://call.example.org/r/tea", link)
	}
	values, err := url.ParseQuery(fragment)
	if err != nil {
		return address{}, errors.New("parley: what follows # in the link cannot be read; copy the link again")
	}
	a.secret = values.Get("host")
	if values.Has("key") {
		a.key = values.Get("key")
		if _, err := keyring.NewSecret(a.room, a.key); err != nil { // what follows would not be encrypted
			return address{}, &Refused{Code: CodeEncrypted, Words: "the key in the link of this end-to-end encrypted room is not whole; copy the whole link again"}
		}
	}
	ip, err := netip.ParseAddr(a.host)
	a.local = a.host == "localhost" || strings.HasSuffix(a.host, ".localhost") || err == nil && ip.Unmap().IsLoopback()
	switch u.Scheme {
	case "https", "wss":
		u.Scheme = "wss"
	case "http", "ws":
		u.Scheme = "ws"
	default:
		return address{}, fmt.Errorf("parley: a link of a room begins with https://, not %s://", u.Scheme)
	}
	socket := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/ws"}
	a.socket = socket.String()
	return a, nil
}
