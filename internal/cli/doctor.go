package cli

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/parley-rtc/parley/internal/doctor"
	"github.com/parley-rtc/parley/internal/server"
	parley "github.com/parley-rtc/parley/sdk"
	"github.com/parley-rtc/parley/sdk/media"
)

type doctorCommand struct {
	URL      string  `arg:"" optional:"" name:"url" help:"Address of a server, or a host link of an empty room on it (parley token prints one): without it, where not everybody may make rooms, no call can be tried. With - it is read from standard input, so that a secret in it stays out of the list of processes. Without it, the server of this machine's configuration."`
	JSON     bool    `name:"json" help:"Print one JSON object with all findings."`
	CA       string  `name:"ca" type:"existingfile" placeholder:"FILE" help:"Trust the certificates in this PEM file instead of the system's."`
	Insecure bool    `help:"Try the calls with a certificate that nobody trusts, too. What is wrong with it is said all the same."`
	Data     *string `placeholder:"DIR" help:"${data}"`
	Config   string  `placeholder:"FILE" help:"Configuration in YAML, as for serve."`
}

// errUnwell ends the program with a status; what is wrong was printed already.
var errUnwell = errors.New("something does not work; see above")

// Run examines a server and prints what it finds.
func (c *doctorCommand) Run(ctx context.Context, w *World) error {
	config, room, err := c.target(w)
	if err != nil {
		return err
	}
	options := parley.Options{Name: "Parley doctor", Insecure: c.Insecure, Hear: true, Agent: "parley-doctor"}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return fmt.Errorf("doctor: %w", err)
		}
		options.Roots = x509.NewCertPool()
		if !options.Roots.AppendCertsFromPEM(pem) {
			return fmt.Errorf("doctor: %s holds no certificate in PEM form", c.CA)
		}
	}
	config.Roots, config.Caller = options.Roots, &patient{link: room, options: options}
	if !c.JSON {
		fmt.Fprintf(w.Stdout, "Looking at %s\n\n", config.Base)
		config.Told = func(f doctor.Finding) { printFinding(w.Stdout, f) }
	}
	findings, err := doctor.Examine(ctx, config)
	if err != nil {
		return err
	}
	healthy := doctor.Healthy(findings)
	if c.JSON {
		e := json.NewEncoder(w.Stdout)
		e.SetIndent("", "  ")
		if err := e.Encode(map[string]any{"server": config.Base.String(), "healthy": healthy, "findings": findings}); err != nil {
			return err
		}
	} else if healthy {
		fmt.Fprintln(w.Stdout, "\nCalls work.")
	}
	if !healthy {
		return errUnwell
	}
	return nil
}

// target says which server to look at, and with which room's link.
func (c *doctorCommand) target(w *World) (doctor.Config, string, error) {
	name := "doctor-" + strings.ToLower(rand.Text()[:12])
	if c.URL == "" {
		return c.own(w, name)
	}
	raw := c.URL
	if raw == "-" {
		b, err := io.ReadAll(io.LimitReader(w.Stdin, 64<<10))
		if err != nil {
			return doctor.Config{}, "", fmt.Errorf("doctor: no address on standard input: %w", err)
		}
		raw = strings.TrimSpace(string(b))
	}
	link, fragment, _ := strings.Cut(raw, "#")
	if !strings.Contains(link, "://") {
		link = "https://" + link
	}
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil {
		return doctor.Config{}, "", errors.New("doctor: that is not the address of a server, such as https://meet.example.org")
	}
	base := &url.URL{Scheme: u.Scheme, Host: u.Host}
	room := base.JoinPath("/r/", name).String()
	if fragment != "" && strings.HasPrefix(u.Path, "/r/") {
		room = base.JoinPath(u.Path).String() + "#" + fragment
	}
	return doctor.Config{Base: base, Insecure: c.Insecure}, room, nil
}

// own is the server that this machine's configuration leads to. Its key makes the link of a room of our own.
func (c *doctorCommand) own(w *World, name string) (doctor.Config, string, error) {
	loaded, err := (&settings{Data: c.Data, Config: c.Config}).load(w)
	if err != nil {
		return doctor.Config{}, "", err
	}
	raw, err := server.Base(&loaded.Config)
	if err != nil {
		return doctor.Config{}, "", err
	}
	base, err := url.Parse(raw)
	if err != nil {
		return doctor.Config{}, "", fmt.Errorf("doctor: %w", err)
	}
	keys, err := server.ReadKeys(loaded.Data)
	if err != nil {
		return doctor.Config{}, "", fmt.Errorf("%w; give the server's address: parley doctor https://meet.example.org", err)
	}
	var addresses []netip.Addr
	if !loaded.PublicAddress.Auto() {
		addresses = loaded.PublicAddress.Addrs
	}
	return doctor.Config{Base: base, Own: true, Addresses: addresses}, server.NewLinks(keys, raw, name, time.Now()).Host, nil
}

var marks = map[doctor.State]string{doctor.OK: "✓", doctor.Warning: "!", doctor.Failed: "✗", doctor.Skipped: "–"}

// printFinding says one finding, and below it what to do.
func printFinding(w io.Writer, f doctor.Finding) {
	fmt.Fprintf(w, "%s %-12s %s\n", marks[f.State], f.Check, wrap(f.Words, 84, strings.Repeat(" ", 15)))
	if f.Fix != "" {
		fmt.Fprintf(w, "%15s→ %s\n", "", wrap(f.Fix, 82, strings.Repeat(" ", 17)))
	}
}

// patient makes the doctor's calls with the SDK, in a room that nobody else uses.
type patient struct {
	link    string
	options parley.Options
}

// Trust implements doctor.Caller.
func (p *patient) Trust(certificate *x509.Certificate) {
	if p.options.Roots == nil {
		p.options.Roots = x509.NewCertPool()
	}
	p.options.Roots.AddCert(certificate)
}

// Knock implements doctor.Caller.
func (p *patient) Knock(ctx context.Context) (servers []doctor.Server, release func(), fix string, err error) {
	room, err := parley.Dial(ctx, p.link, p.options)
	if err != nil {
		if untrusted(err) {
			fix = "Mend the certificate, or try the rest with --insecure, or trust it with --ca FILE."
		}
		return nil, nil, fix, errors.New(strings.TrimPrefix(err.Error(), "parley: "))
	}
	list, err := room.Servers(ctx)
	if err == nil && len(list) == 0 {
		err = errors.New("the server lets only hosts make rooms, so it gave no relay and no call can be tried")
		fix = "Give a host link instead of the bare address: parley token ROOM prints one on the server."
	}
	if err != nil {
		room.Close()
		return nil, nil, fix, err
	}
	for _, s := range list {
		servers = append(servers, doctor.Server(s))
	}
	return servers, room.Close, "", nil
}

// Call implements doctor.Caller.
func (p *patient) Call(ctx context.Context, way string) (doctor.Talk, error) {
	options, people := p.options, 2
	switch way {
	case "direct":
	case "hub":
		people = 3
	default:
		options.Relay, options.RelayOver = true, way
	}
	var rooms []*parley.Room
	var began time.Time
	for range people {
		began = time.Now()
		room, err := sing(ctx, p.link, options)
		if refused, ok := errors.AsType[*parley.Refused](err); ok && refused.Code == parley.CodeFull && way == "hub" && len(rooms) == 2 {
			return doctor.Talk{}, doctor.NotOffered("a room has two seats here (rooms.seats), so calls are for two")
		}
		if err != nil {
			return doctor.Talk{}, err
		}
		defer depart(ctx, room)
		rooms = append(rooms, room)
		if err := suits(ctx, room, len(rooms), way); err != nil {
			return doctor.Talk{}, err
		}
	}
	return listen(ctx, rooms, began, way)
}

// suits says why no call by way can be tried in a room where we have so many seats.
func suits(ctx context.Context, room *parley.Room, seats int, way string) error {
	people, err := room.People(ctx)
	if err != nil {
		return err
	}
	if len(people) > seats {
		return errors.New("somebody is in the room; give the host link of an empty one")
	}
	t, err := room.Topology(ctx)
	switch {
	case err != nil:
		return err
	case way == "hub" && t.Kind == "":
		return doctor.NotOffered("this server forwards no media (hub.media is off), so calls are for two")
	case way == "hub" && t.Policy == parley.PolicyDirect:
		return doctor.NotOffered("calls never go through the server in this room (its topology is direct), so they are for two")
	case way != "hub" && t.Policy == parley.PolicyHub:
		return doctor.NotOffered("calls of two go through the server in this room as well (its topology is hub)")
	}
	return nil
}

// sing joins the room and sends a tone.
func sing(ctx context.Context, link string, options parley.Options) (*parley.Room, error) {
	room, err := parley.Dial(ctx, link, options)
	if err != nil {
		return nil, err
	}
	err = room.Publish(ctx, parley.Microphone, media.Tone())
	if err == nil {
		err = room.Join(ctx)
	}
	if err != nil {
		room.Close()
		return nil, err
	}
	return room, nil
}

func depart(ctx context.Context, room *parley.Room) {
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	_ = room.Leave(leaving) // it may be over already
	room.Close()
}

// listen returns when everybody hears everybody else's tone by the wanted way.
func listen(ctx context.Context, rooms []*parley.Room, began time.Time, way string) (doctor.Talk, error) {
	kind := parley.PathRelayed
	switch way {
	case "direct":
		kind = parley.PathDirect
	case "hub":
		kind = parley.PathHub
	}
	var talk doctor.Talk
	last := "no link came about"
	for {
		heard := 0
		for _, room := range rooms {
			stats, err := room.Stats(ctx)
			if err != nil {
				return talk, fmt.Errorf("%w; %s", err, last)
			}
			for _, l := range stats.Links {
				if !l.Received[parley.Microphone].Tone || l.Path.Kind != kind {
					last = "the path was " + l.Path.String() + " and nothing was heard"
					continue
				}
				heard++
				talk.Path, talk.Direct = l.Path.String(), l.Path.Kind == parley.PathDirect
				talk.RoundTrip = max(talk.RoundTrip, l.RoundTrip)
			}
		}
		if heard == len(rooms)*(len(rooms)-1) {
			talk.SetUp = time.Since(began)
			return talk, nil
		}
		select {
		case <-ctx.Done():
			return talk, errors.New(last)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
