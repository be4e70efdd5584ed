package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	parley "github.com/parley-rtc/parley/sdk"
)

// show says what happens to files: with a bar on a terminal, otherwise a plain line now and then, with --json one JSON
// object a line. The goroutines of several rooms share it.
type show struct {
	every time.Duration // how often progress is to be told
	mu    sync.Mutex
	out   io.Writer
	json  bool
	term  bool
	bar   *progressbar.ProgressBar
	last  map[*parley.Transfer]told
}

// told is what the last line about a transfer said.
type told struct {
	at    time.Time
	bytes int64
	state parley.TransferState
}

const (
	barEvery  = 200 * time.Millisecond
	lineEvery = 5 * time.Second
)

func newShow(out io.Writer, asJSON, terminal bool) *show {
	s := &show{every: lineEvery, out: out, json: asJSON, term: terminal && !asJSON, last: make(map[*parley.Transfer]told)}
	if s.term {
		s.every = barEvery
	} else if asJSON {
		s.every = time.Second
	}
	return s
}

// fileLine is one line of --json. Which fields are set depends on Event.
type fileLine struct {
	Event    string               `json:"event"`
	Link     string               `json:"link,omitempty"`
	Room     string               `json:"room,omitempty"`
	Transfer string               `json:"transfer,omitempty"`
	Person   *callPerson          `json:"person,omitempty"`
	Name     string               `json:"name,omitempty"`
	Files    int                  `json:"files,omitempty"`
	Path     string               `json:"path,omitempty"`
	Saved    string               `json:"saved,omitempty"`
	Hash     string               `json:"hash,omitempty"`
	State    parley.TransferState `json:"state,omitempty"`
	Bytes    int64                `json:"bytes"`
	Total    int64                `json:"total"`
	Wire     int64                `json:"wire"`
	Rate     float64              `json:"bytesPerSecond,omitempty"`
	Text     string               `json:"text,omitempty"`
}

// line prints v with --json, otherwise text.
func (s *show) line(v fileLine, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(v, format, args...)
}

func (s *show) put(v fileLine, format string, args ...any) {
	if s.json {
		b, err := json.Marshal(v)
		if err != nil {
			panic("cli: a line has nothing that JSON cannot say: " + err.Error())
		}
		_, _ = fmt.Fprintf(s.out, "%s\n", b) // a closed output is no reason to stop
		return
	}
	s.clear()
	_, _ = fmt.Fprintln(s.out, printable(fmt.Sprintf(format, args...))) // as above
}

// clear takes the bar away.
func (s *show) clear() {
	if s.bar != nil {
		_ = s.bar.Clear() // as above
		s.bar = nil
	}
}

func (s *show) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}

// invite says where the files can be had.
func (s *show) invite(p place, files *parley.Files, withQR bool) error {
	n := len(files.List())
	s.line(fileLine{Event: "waiting", Link: p.guest, Room: p.room, Name: files.Name(), Files: n, Total: files.Total()},
		"%s (%s) can be had at\n", files.Name(), count(n, files.Total()))
	if s.json {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := fmt.Fprintf(s.out, "  %s\n\n", p.guest); err != nil {
		return err
	}
	if withQR {
		if err := printQR(s.out, p.guest, "  "); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(s.out)
	}
	_, err := fmt.Fprintf(s.out, "in a browser, or with: parley receive %s\nKeep this running. Ctrl-C stops; what has arrived is kept.\n", p.guest)
	return err
}

func count(n int, total int64) string {
	if n == 1 {
		return size(total)
	}
	return fmt.Sprintf("%d files, %s", n, size(total))
}

func (s *show) alone() {
	s.line(fileLine{Event: "alone"}, "Nobody else is there yet; waiting.")
}

func (s *show) offered(p parley.Person, t *parley.Transfer) {
	s.line(fileLine{Event: "offered", Transfer: t.ID(), Person: person(p), Total: t.Progress().Total}, "%s is here and is asked.", p.Name)
}

func (s *show) left(p parley.Person, at parley.Progress) {
	s.line(fileLine{Event: "left", Person: person(p), Bytes: at.Bytes, Total: at.Total, Wire: at.Wire}, "%s left. What arrived is kept; waiting for them.", p.Name)
}

func (s *show) trouble(err error) {
	s.line(fileLine{Event: "trouble", Text: err.Error()}, "%s", strings.TrimPrefix(err.Error(), "parley: "))
}

// proposed says what somebody offers.
func (s *show) proposed(o *parley.FileOffer) {
	p := o.With()
	list := o.Files()
	s.line(fileLine{Event: "offer", Transfer: o.ID(), Person: person(p), Name: o.Name(), Files: len(list), Total: o.Progress().Total},
		"%s offers %s (%s).", p.Name, o.Name(), count(len(list), o.Progress().Total))
}

// ask lists the files before the person answers.
func (s *show) ask(o *parley.FileOffer, dir string) {
	const most = 20
	list := o.Files()
	for i, f := range list {
		if i == most {
			s.line(fileLine{}, "  … and %d more", len(list)-most)
			break
		}
		s.line(fileLine{}, "  %s (%s)", f.Path, size(f.Size))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = fmt.Fprintf(s.out, "Take them into %s? [y/N] ", printable(dir)) // as above
}

func (s *show) done(e parley.FileDone) {
	v := fileLine{
		Event: "file", Transfer: e.Transfer.ID(), Path: e.File.Path, Saved: e.Path, Hash: e.Root, Total: e.File.Size, Bytes: e.File.Size,
	}
	if e.Path == "" {
		s.line(v, "%s  %s", e.Root, e.File.Path)
		return
	}
	s.line(v, "%s  %s", e.Root, e.Path)
}

func (s *show) ended(p parley.Person, e parley.TransferEnded) {
	progress := e.Transfer.Progress()
	v := fileLine{
		Event: "ended", Transfer: e.Transfer.ID(), Person: person(p), State: progress.State, Bytes: progress.Bytes, Total: progress.Total,
		Wire: progress.Wire,
	}
	if e.Err != nil {
		v.Text = e.Err.Error()
		s.line(v, "%s: %s", p.Name, strings.TrimPrefix(e.Err.Error(), "parley: "))
		return
	}
	if e.Transfer.Incoming() {
		s.line(v, "All of it has arrived, as it was sent.")
		return
	}
	s.line(v, "%s has all of it.", p.Name)
}

func (s *show) stopped(words string) {
	s.line(fileLine{Event: "stopped", Text: words}, "%s", words)
}

// progress tells of transfers that run.
func (s *show) progress(list map[string]*parley.Transfer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sum parley.Progress
	for _, t := range list {
		p := t.Progress()
		if p.State == parley.TransferActive || p.State == parley.TransferPaused {
			sum.State = p.State
			sum.Bytes += p.Bytes
			sum.Total += p.Total
		}
		if !s.term {
			s.tell(t, p)
		}
	}
	if s.term && sum.Total > 0 && len(list) > 0 {
		s.draw(sum)
	}
}

// changed says that a transfer is in another state.
func (s *show) changed(e parley.TransferChanged) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.term && e.Progress.State != parley.TransferOffered {
		s.tell(e.Transfer, e.Progress)
	}
}

// tell prints a line about one transfer when there is something new.
func (s *show) tell(t *parley.Transfer, p parley.Progress) {
	before, now := s.last[t], time.Now()
	if p.Bytes == before.bytes && p.State == before.state || p.State == parley.TransferDone || p.State == parley.TransferFailed {
		return
	}
	s.last[t] = told{at: now, bytes: p.Bytes, state: p.State}
	rate := 0.0
	if !before.at.IsZero() && p.Bytes > before.bytes {
		rate = float64(p.Bytes-before.bytes) / now.Sub(before.at).Seconds()
	}
	percent := 100.0
	if p.Total > 0 {
		percent = 100 * float64(p.Bytes) / float64(p.Total)
	}
	s.put(fileLine{
		Event: "progress", Transfer: t.ID(), State: p.State, Bytes: p.Bytes, Total: p.Total, Wire: p.Wire, Rate: rate,
	}, "%s: %s, %.0f %%, %s of %s, %s/s", t.With().Name, p.State, percent, size(p.Bytes), size(p.Total), size(int64(rate)))
}

// draw shows the bar.
func (s *show) draw(p parley.Progress) {
	if s.bar == nil || s.bar.GetMax64() != p.Total {
		s.bar = progressbar.NewOptions64(p.Total,
			progressbar.OptionSetWriter(s.out), progressbar.OptionShowBytes(true), progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(0), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true))
	}
	s.bar.Describe(map[parley.TransferState]string{parley.TransferPaused: "paused"}[p.State])
	_ = s.bar.Set64(p.Bytes) // a closed output is no reason to stop
}
