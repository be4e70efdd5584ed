package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/parley-rtc/parley/internal/server"
	"github.com/parley-rtc/parley/internal/signal"
	parley "github.com/parley-rtc/parley/sdk"
)

// reach says how `parley send` and `parley receive` come to the server and to the other side.
type reach struct {
	Name      string `default:"Parley files" help:"Name that the others see."`
	JSON      bool   `name:"json" help:"Print one JSON object a line."`
	Relay     bool   `help:"Use the server's relay even when a direct path exists."`
	RelayOver string `enum:",udp,tcp,tls" default:"" placeholder:"WAY" help:"Keep to one way to the relay: udp, tcp or tls."`
	CA        string `name:"ca" type:"existingfile" placeholder:"FILE" help:"Trust the certificates in this PEM file instead of the system's, for a self-signed server."`
	Insecure  bool   `help:"Accept any certificate. Whoever is on the way can then read along: for tests only."`
}

func (r *reach) options(agent string) (parley.Options, error) {
	o, err := (&Call{Name: r.Name, Relay: r.Relay, RelayOver: r.RelayOver, CA: r.CA, Insecure: r.Insecure}).options()
	o.Hear, o.Agent = false, agent
	return o, err
}

// Send is `parley send`: it makes a room, prints its link, and sends files to whoever opens it.
type Send struct {
	Files   []string `arg:"" name:"file" help:"Files and folders to send."`
	Server  string   `placeholder:"URL" help:"Address of the server, such as https://meet.example.org, or a host link of a room on it, which is needed where not everybody may make rooms. With - it is read from standard input, so that a secret in it stays out of the list of processes. The default is the server of this machine's configuration."`
	Room    string   `placeholder:"NAME" help:"Name of the room: go on where an earlier send to it stopped. A new one by default."`
	People  int      `default:"1" placeholder:"N" help:"How many may get the files at the same time: a link for each is printed, since a room has place for one other person."`
	Encrypt bool     `help:"Encrypt the files from end to end: the key is in the links that are printed, and the server never has it."`
	Stay    bool     `help:"Go on for whoever comes next, until Ctrl-C."`
	QR      bool     `name:"qr" help:"Print the links as QR codes even when the output is no terminal."`
	Data    *string  `placeholder:"DIR" help:"${data}"`
	Config  string   `placeholder:"FILE" help:"Configuration in YAML, as for serve."`
	reach   `embed:""`
}

// place is a room to send in.
type place struct {
	link  string // that this program joins by; it may hold a secret
	guest string // for others
	room  string // its name
}

// Run sends until everybody has the files, or ctx ends.
func (c *Send) Run(ctx context.Context, w *World) error {
	if c.People < 1 || c.People > 16 {
		return fmt.Errorf("--people %d: between 1 and 16 are possible", c.People)
	}
	files, err := parley.OpenFiles(c.Files...)
	if err != nil {
		return err
	}
	options, err := c.options("parley-send")
	if err != nil {
		return err
	}
	places, err := c.places(w)
	if err != nil {
		return err
	}
	show := newShow(w.Stdout, c.JSON, w.Terminal)
	ended := make(chan error, len(places))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	begun := 0
	for _, p := range places {
		room, memory, err := c.enter(ctx, w, &p, options)
		if err != nil {
			cancel()
			for range begun {
				err = cmp.Or(err, <-ended) // why the room was not joined says more
			}
			return c.adviseJoin(err)
		}
		if err := show.invite(p, files, c.QR || w.Terminal); err != nil {
			return err
		}
		giver := &giver{room: room, files: files, show: show, stay: c.Stay, memory: memory}
		begun++
		go func() { ended <- giver.run(ctx) }()
	}
	for range places {
		err = errors.Join(err, <-ended)
	}
	show.close()
	if errors.Is(err, errStopped) {
		show.stopped("To go on, with what has arrived kept: " + c.again(places[0]))
		if c.Stay {
			return nil
		}
		return errInterrupted
	}
	return advise(err)
}

// enter joins the room of a place, as who was there before. The link for others gets the key of a room that is encrypted.
func (c *Send) enter(ctx context.Context, w *World, p *place, options parley.Options) (*parley.Room, *memory, error) {
	memory := newMemory(w, "send", p.guest, c.Files...)
	options.Seat, options.Encrypt = memory.kept.Seat, c.Encrypt
	link := p.link
	if c.Encrypt { // it may go on where it stopped
		link = withKey(link, memory.kept.Key)
	}
	room, err := parley.Join(ctx, link, options)
	if err != nil {
		return nil, nil, err
	}
	info, err := room.Info(ctx)
	if err != nil {
		room.Close()
		return nil, nil, err
	}
	if c.Encrypt {
		memory.kept.Key = info.Key
	}
	p.guest = withKey(p.guest, info.Key)
	memory.sits(ctx, room)
	return room, memory, nil
}

// withKey puts the key of an encrypted room into its link, unless it has one; "" is none.
func withKey(link, key string) string {
	base, fragment, _ := strings.Cut(link, "#")
	values, err := url.ParseQuery(fragment)
	if key == "" || err != nil || values.Has("key") {
		return link
	}
	if fragment != "" {
		fragment += "&"
	}
	return base + "#" + fragment + "key=" + key
}

// errStopped is the user's wish to stop; errInterrupted is it as the end of the program.
var (
	errStopped     = errors.New("stopped")
	errInterrupted = errors.New("not everything was sent")
)

// again is the command that goes on.
func (c *Send) again(p place) string {
	words := []string{"parley send --room", strings.TrimSuffix(p.room, "-1")}
	if c.Server != "" {
		server, _, _ := strings.Cut(c.Server, "#")
		words = append(words, "--server", quote(server))
	}
	if c.Encrypt {
		words = append(words, "--encrypt")
	}
	if c.People > 1 {
		words = append(words, fmt.Sprint("--people ", c.People))
	}
	for _, f := range c.Files {
		words = append(words, quote(f))
	}
	return strings.Join(words, " ")
}

// quote makes a word of a POSIX shell.
func quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("%+,-./:=@_", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// places chooses the rooms.
func (c *Send) places(w *World) ([]place, error) {
	raw := c.Server
	if raw == "-" {
		var err error
		if raw, err = (&Call{URL: "-"}).link(w.Stdin); err != nil {
			return nil, err
		}
	}
	link, fragment, _ := strings.Cut(raw, "#")
	u, err := url.Parse(link)
	if raw != "" && (err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil || u.RawQuery != "") {
		return nil, fmt.Errorf("--server %q is not an address such as https://meet.example.org", link)
	}
	if raw != "" && strings.HasPrefix(u.Path, "/r/") { // a room that exists already
		if c.People > 1 || c.Room != "" {
			return nil, errors.New("a link of one room leaves no choice of rooms: leave --people and --room out, or give the server's address alone")
		}
		guest := u.String()
		if fragment != "" {
			link += "#" + fragment
		}
		return []place{{link: link, guest: guest, room: strings.TrimPrefix(u.Path, "/r/")}}, nil
	}
	name := c.Room
	if name == "" {
		name = "files-" + strings.ToLower(rand.Text()[:12])
	}
	var list []place
	for n := range c.People {
		room := name
		if c.People > 1 {
			room = fmt.Sprint(name, "-", n+1)
		}
		if !signal.ValidRoom(room) {
			return nil, fmt.Errorf("%q cannot be a room's name: 1 to %d lower-case letters, digits, '-' and '_'", room, signal.MaxRoom)
		}
		p := place{room: room}
		if raw != "" {
			p.guest = strings.TrimSuffix(link, "/") + "/r/" + room
			p.link = p.guest
		} else if p, err = c.own(w, room); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// own is a room of the server that this machine's configuration leads to. Its key makes us its host.
func (c *Send) own(w *World, room string) (place, error) {
	loaded, err := (&settings{Data: c.Data, Config: c.Config}).load(w)
	if err != nil {
		return place{}, err
	}
	base, local, err := server.Bases(&loaded.Config)
	if err != nil {
		return place{}, err
	}
	if local == "" {
		local = base
	}
	p := place{room: room, guest: server.NewGuestLink(base, room), link: server.NewGuestLink(local, room)}
	if keys, err := server.ReadKeys(loaded.Data); err == nil {
		p.link = server.NewLinks(keys, local, room, time.Now()).Host
	} // otherwise as anybody else: on a private network everybody may make rooms
	return p, nil
}

// adviseJoin says what to do when there is no room to send in.
func (c *Send) adviseJoin(err error) error {
	var refused *parley.Refused
	if errors.As(err, &refused) && refused.Code == parley.CodeNoRoom {
		return errors.New("this server lets only hosts make rooms. Give a host link: parley token ROOM prints one on the server's machine; then parley send --server LINK FILE")
	}
	if c.Server == "" {
		return fmt.Errorf("%w (no --server was given, so this machine's own was asked)", advise(err))
	}
	return advise(err)
}
