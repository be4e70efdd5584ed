package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/tools/txtar"
	"rsc.io/qr"
)

var update = flag.Bool("update", false, "write what the tests got into the golden files")

// console collects what a command prints while it runs.
type console struct {
	mu   sync.Mutex
	text bytes.Buffer
	news chan struct{}
}

func newConsole() *console { return &console{news: make(chan struct{}, 1)} }

func (c *console) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.news <- struct{}{}:
	default:
	}
	return c.text.Write(b)
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// await returns what pattern captures as soon as it is printed.
func (c *console) await(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		if m := re.FindStringSubmatch(c.String()); m != nil {
			return m[len(m)-1]
		}
		select {
		case <-c.news:
		case <-ctx.Done():
			t.Fatalf("%q is not printed:\n%s", pattern, c)
		}
	}
}

// command runs a command line to its end in an empty directory.
func command(t *testing.T, environ []string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	out, errs := newConsole(), newConsole()
	status = Main(args, &World{Stdin: strings.NewReader(""), Stdout: out, Stderr: errs, Environ: append(environ, "HOME="+t.TempDir())})
	return status, out.String(), errs.String()
}

// TestGolden compares what command lines print with testdata/*.txtar: the file "args", "env" and files to be there;
// then "stdout", "stderr" and "status" are wanted.
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range cases {
		full, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(full)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			t.Chdir(dir)
			var args, environ []string
			want, kept := map[string]string{}, a.Files[:0]
			for _, f := range a.Files {
				switch f.Name {
				case "stdout", "stderr", "status":
					want[f.Name] = string(f.Data)
					continue
				case "args":
					args = strings.Fields(string(f.Data))
				case "env":
					environ = strings.Fields(string(f.Data))
				default:
					if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				kept = append(kept, f)
			}
			out, errs := newConsole(), newConsole()
			status := Main(args, &World{Stdin: strings.NewReader(""), Stdout: out, Stderr: errs, Environ: append(environ, "HOME=/home/ada")})
			got := map[string]string{"stdout": out.String(), "stderr": errs.String(), "status": string(rune('0'+status)) + "\n"}
			if *update {
				for _, name := range []string{"stdout", "stderr", "status"} {
					kept = append(kept, txtar.File{Name: name, Data: []byte(got[name])})
				}
				a.Files = kept
				if err := os.WriteFile(full, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			for name, g := range got {
				if g != want[name] {
					t.Errorf("%s:\n%s\nwant:\n%s", name, g, want[name])
				}
			}
		})
	}
}

// serving runs parley serve on a free port until its end, or at last that of the test.
type serving struct {
	out     *console
	signals chan os.Signal
	ended   chan struct{} // closed at the end; then status is set
	status  int
}

func serve(t *testing.T, terminal bool, args ...string) *serving {
	t.Helper()
	s := &serving{out: newConsole(), signals: make(chan os.Signal, 4), ended: make(chan struct{})}
	w := &World{Stdin: strings.NewReader(""), Stdout: s.out, Stderr: io.Discard, Environ: []string{"HOME=" + t.TempDir()}, Signals: s.signals, Terminal: terminal}
	go func() {
		defer close(s.ended)
		s.status = Main(append([]string{"serve"}, args...), w)
	}()
	// Awaited, for until its end it writes into a directory that the test removes.
	t.Cleanup(func() { s.signals <- syscall.SIGTERM; s.signals <- syscall.SIGTERM; s.end(t) })
	return s
}

func (s *serving) end(t *testing.T) int {
	t.Helper()
	select {
	case <-s.ended:
		return s.status
	case <-time.After(time.Minute): // a busy machine; the time itself is reported where it matters
		t.Fatal("it does not end")
		return 0
	}
}

func TestServe(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	t.Chdir(t.TempDir())
	data := t.TempDir()
	s := serve(t, false, "--listen", "127.0.0.1:0", "--data", data)
	page := s.out.await(t, `Page +(http://localhost:[0-9]+/)`)
	s.out.await(t, "Ctrl-C ends it")
	room := s.out.await(t, `First room +([a-z]+-[a-z]+-[0-9]+)\n`)
	guest := s.out.await(t, `Guest link +(\S+)\n`)
	host := s.out.await(t, `Host link +(\S+)\n`)
	if guest != page+"r/"+room || !strings.HasPrefix(host, guest+"#host=") {
		t.Errorf("links:\n%s\n%s", host, guest)
	}
	for _, words := range []string{"TCP ", "UDP ", "Not open", "relay ports", "Only this machine"} {
		if !strings.Contains(s.out.String(), words) {
			t.Errorf("%q is not said:\n%s", words, s.out)
		}
	}
	if strings.Contains(s.out.String(), "█") {
		t.Error("a QR code, but no terminal")
	}
	r, err := http.Get(page + "healthz")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if r.StatusCode != 200 {
		t.Error(r.Status)
	}

	// Another one on the same port says whose fault it is and what to do.
	listen := strings.TrimSuffix(strings.TrimPrefix(page, "http://localhost"), "/")
	status, _, errs := command(t, nil, "serve", "--listen", "127.0.0.1"+listen, "--data", t.TempDir())
	if status != exitFailed || !strings.Contains(errs, "is taken by another program") || !strings.Contains(errs, "--listen :9443") {
		t.Error(status, errs)
	}

	// The token verb knows the same secret for the same room, but for the time of its making.
	status, links, errs := command(t, nil, "token", room, "--data", data, "--server", "http://localhost"+listen)
	if status != exitOK || !strings.Contains(links, "Guest link  "+guest+"\n") || !strings.Contains(links, "Host link   "+guest+"#host=") {
		t.Error(status, links, errs)
	}

	s.signals <- syscall.SIGTERM
	if status := s.end(t); status != exitOK {
		t.Error("status", status)
	}
	goleak.VerifyNone(t, leaks)
}

func TestSecondSignalStopsAtOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	s := serve(t, false, "--listen", "127.0.0.1:0", "--data", t.TempDir())
	s.out.await(t, "Ctrl-C ends it")
	s.signals <- os.Interrupt
	s.signals <- os.Interrupt
	began := time.Now()
	if status := s.end(t); status != exitOK {
		t.Error("status", status)
	}
	t.Logf("ended after %v", time.Since(began).Round(time.Millisecond))
}

func TestQROnATerminal(t *testing.T) {
	t.Chdir(t.TempDir())
	s := serve(t, true, "--listen", "127.0.0.1:0", "--data", t.TempDir())
	s.out.await(t, "Ctrl-C ends it")
	guest := s.out.await(t, `Guest link +(\S+)\n`)
	if got, want := readQR(t, s.out.String()), modules(t, guest); got != want {
		t.Errorf("the code says something else than %s:\n%s\nwant:\n%s", guest, got, want)
	}
}

// readQR turns half blocks back into modules, a line a row.
func readQR(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	for _, m := range regexp.MustCompile("\x1b\\[30;107m(.*)\x1b\\[0m").FindAllStringSubmatch(text, -1) {
		for _, half := range []string{"▀█", "▄█"} {
			for _, r := range m[1] {
				b.WriteByte(".#"[bit(strings.ContainsRune(half, r))])
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func modules(t *testing.T, text string) string {
	t.Helper()
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	size := code.Size + 2*quiet
	for y := range size + size%2 {
		for x := range size {
			b.WriteByte(".#"[bit(code.Black(x-quiet, y-quiet))])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestAdvice(t *testing.T) {
	listen := &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EACCES)}
	for _, tt := range []struct {
		name, at string
		err      error
		words    string
	}{
		{"a low port", ":443", listen, "cap_net_bind_service"},
		{"a foreign address", "192.0.2.1:8443", &net.OpError{Op: "listen", Err: syscall.EADDRNOTAVAIL}, "is not an address of this machine"},
		{"taken", ":9443", syscall.EADDRINUSE, "--listen :8443"},
		{"a file that may not be read is no port", ":443", &os.PathError{Op: "open", Err: syscall.EACCES}, "permission denied"},
		{"something else", ":443", errors.New("server: odd"), "server: odd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := adviseStart(tt.err, tt.at)
			if !strings.Contains(got.Error(), tt.words) || !errors.Is(got, tt.err) {
				t.Error(got)
			}
		})
	}
}

// A signal ends the context of the verbs that take one.
func TestContextEndsWithASignal(t *testing.T) {
	w := &World{Signals: make(chan os.Signal, 1)}
	ctx, err := w.context()
	if err != nil || ctx.Err() != nil {
		t.Fatal(err, ctx.Err())
	}
	signals := make(chan os.Signal, 1)
	w = &World{Signals: signals}
	if ctx, err = w.context(); err != nil {
		t.Fatal(err)
	}
	signals <- os.Interrupt
	select {
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
		t.Error("the context goes on")
	}
}
