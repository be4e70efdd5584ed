// Command ours is the hub of Parley as bench/sfu measures servers: the media plane on its loops, without signalling.
//
//	go run ./bench/sfu -server "ours=PROGRAM -loops 1"
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"

	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/portserver"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
)

func main() {
	loops := flag.Int("loops", 1, "how many loops read the UDP port")
	profile := flag.String("profile", "", "where to write a profile of the processor, for go tool pprof")
	watched := flag.Bool("watch", false, "say every second on the standard error how everybody fares")
	flag.Parse()
	if err := run(*loops, *profile, *watched, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ours:", err)
		os.Exit(1)
	}
}

func run(loops int, profile string, watched bool, in io.Reader, out io.Writer) error {
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	var port *portserver.Server
	d := &door{rooms: map[string]*room{}}
	var err error
	if d.media, err = mediaserver.New(mediaserver.Config{Candidates: func() []sdp.Candidate {
		return []sdp.Candidate{{Address: port.Addr()}}
	}}); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if port, err = portserver.Listen(portserver.Config{Address: "127.0.0.1:0", Batches: d.media, Loops: loops}, log); err != nil {
		return err
	}
	d.media.Attach(port)
	if watched {
		stop := d.watch(port, os.Stderr)
		defer stop()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: d.routes()}
	served := make(chan error, 2)
	go func() { served <- port.Serve(context.Background()) }()
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(out, "http://%s\n", listener.Addr())
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in)
		close(ended)
	}()
	select {
	case err = <-served:
	case <-ended:
	}
	_ = server.Close()
	d.media.Close()
	port.Close()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// door is the bench's signalling: everybody sees everybody else, each in the next place that is free.
type door struct {
	media *mediaserver.Server
	mu    sync.Mutex
	rooms map[string]*room
}

type room struct {
	people  []*person
	sources []source
}

type person struct {
	at     mediaserver.Link
	places []mediaserver.Place
	shown  []sfu.Want
}

type source struct{ seat, name string }

func (d *door) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{room}/{seat}", d.join)
	mux.HandleFunc("GET /memory", memory)
	return mux
}

// memory answers with the allocations so far.
func memory(w http.ResponseWriter, _ *http.Request) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	_ = json.NewEncoder(w).Encode(map[string]uint64{"mallocs": m.Mallocs})
}

func (d *door) join(w http.ResponseWriter, r *http.Request) {
	offer, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		var answer string
		at := mediaserver.Link{Room: r.PathValue("room"), Seat: r.PathValue("seat"), Link: "1"}
		if answer, err = d.enter(r.Context(), at, string(offer)); err == nil {
			w.Header().Set("Content-Type", "application/sdp")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, answer)
			return
		}
	}
	http.Error(w, err.Error(), http.StatusBadRequest)
}

func (d *door) enter(ctx context.Context, at mediaserver.Link, offer string) (string, error) {
	description, err := sdp.ParseOffer(offer)
	if err != nil {
		return "", err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.rooms[at.Room]
	if r == nil {
		r = &room{}
		d.rooms[at.Room] = r
	}
	p := &person{at: at}
	o := mediaserver.Offer{Link: at, SDP: offer}
	for i := range description.Sections {
		s := &description.Sections[i]
		switch {
		case s.Direction.Sends():
			name := s.Kind.String() + s.MID
			o.Tracks = append(o.Tracks, sfu.Track{MID: s.MID, Source: name})
			if s.Kind == sdp.Video {
				r.sources = append(r.sources, source{at.Seat, name})
			}
		case s.Kind == sdp.Video:
			p.places = append(p.places, mediaserver.Place{MID: s.MID, Kind: sfu.Video})
		}
	}
	p.fill(r)
	o.Show = p.shown
	answer, err := d.media.Offer(ctx, o)
	if err != nil {
		return "", err
	}
	for _, other := range r.people {
		if other.fill(r) {
			if err := d.media.Show(ctx, other.at, other.shown); err != nil {
				return "", err
			}
		}
	}
	r.people = append(r.people, p)
	return answer.SDP, nil
}

// fill puts sources on free places, and reports whether there was anything to put.
func (p *person) fill(r *room) (changed bool) {
	for _, s := range r.sources {
		if s.seat == p.at.Seat || len(p.shown) == len(p.places) || p.shows(s) {
			continue
		}
		p.shown = append(p.shown, sfu.Want{MID: p.places[len(p.shown)].MID, Seat: s.seat, Source: s.name})
		changed = true
	}
	return changed
}

func (p *person) shows(s source) bool {
	for _, want := range p.shown {
		if want.Seat == s.seat && want.Source == s.name {
			return true
		}
	}
	return false
}
