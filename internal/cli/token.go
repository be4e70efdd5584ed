package cli

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/server"
	"github.com/parley-rtc/parley/internal/signal"
)

type tokenCommand struct {
	Room    string  `arg:"" help:"Name of the room: 1 to 64 lower-case letters, digits, '-' and '_'. It need not exist: whoever opens the host link makes it by joining."`
	Encoder string  `placeholder:"NAME" help:"Print instead the address and the token for an encoder (WHIP), whose seat is called NAME. Good for 30 days."`
	Player  bool    `help:"Print instead the address and the token for players (WHEP). Good for 30 days."`
	Server  string  `placeholder:"URL" help:"Address of the server, such as https://meet.example.org. The default follows from the configuration."`
	Data    *string `placeholder:"DIR" help:"${data}"`
	Config  string  `placeholder:"FILE" help:"Configuration in YAML, as for serve."`
}

// Run prints the links, or what an encoder or a player needs. The secret is derived from the data directory's key: it is good for 30 days, and nothing is kept.
func (c *tokenCommand) Run(w *World) error {
	if !signal.ValidRoom(c.Room) {
		return fmt.Errorf("%q cannot be a room's name: 1 to %d lower-case letters, digits, '-' and '_'", c.Room, signal.MaxRoom)
	}
	loaded, err := (&settings{Data: c.Data, Config: c.Config}).load(w)
	if err != nil {
		return err
	}
	base := c.Server
	if base == "" {
		if base, err = server.Base(&loaded.Config); err != nil {
			return err
		}
	} else if u, err := url.Parse(base); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("--server %q is not an address such as https://meet.example.org", base)
	}
	keys, err := server.ReadKeys(loaded.Data)
	if err != nil {
		return err
	}
	now := time.Now()
	if c.Encoder != "" || c.Player {
		return c.pass(w, keys, base, now)
	}
	links := server.NewLinks(keys, base, c.Room, now)
	_, err = fmt.Fprintf(w.Stdout, "Host link   %s\nGuest link  %s\n", links.Host, links.Guest)
	return err
}

// pass prints where encoders or players go, and the token that lets them in whatever the room's lock says.
func (c *tokenCommand) pass(w *World, keys *auth.Keys, base string, now time.Time) error {
	name := strings.TrimSpace(c.Encoder)
	switch {
	case c.Encoder != "" && c.Player:
		return errors.New("--encoder and --player are two different tokens; ask for one at a time")
	case c.Encoder != "" && name == "", len(name) > signal.MaxName, !utf8.ValidString(name), strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("--encoder %q cannot be a name: 1 to %d bytes of text", c.Encoder, signal.MaxName)
	}
	path := "/whep/"
	if name != "" {
		path = "/whip/"
	}
	token := keys.PassSeal(auth.Pass{Room: c.Room, Name: name, Publishes: name != "", Until: now.Add(auth.HostLifetime)})
	_, err := fmt.Fprintf(w.Stdout, "Address       %s\nBearer token  %s\n", strings.TrimSuffix(base, "/")+path+c.Room, token)
	return err
}
