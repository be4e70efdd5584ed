package e2e

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const chunk = 1 << 20

// report is a line that parley send and receive print with --json.
type report struct {
	Event, Transfer, Link, Path, Saved, Hash, State, Text string
	Bytes, Total, Wire                                    int64
}

// program is a parley process with what it prints.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan report // closed at its end
}

// command starts parley. It is this very test program, or the binary that PARLEY_BINARY names.
func command(t *testing.T, env []string, args ...string) *program {
	t.Helper()
	binary := os.Getenv("PARLEY_BINARY")
	if binary == "" {
		binary = os.Args[0]
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(append(os.Environ(), asCommand+"=1"), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, cmd: cmd, lines: make(chan report, 10000)}
	go func() {
		defer close(p.lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			var r report
			if err := json.Unmarshal(in.Bytes(), &r); err == nil {
				p.lines <- r
			}
		}
	}()
	return p
}

// until waits for a line that fits.
func (p *program) until(what string, fits func(report) bool) report {
	p.t.Helper()
	limit := time.NewTimer(4 * patience) // a machine that does many things at once
	defer limit.Stop()
	var seen []report
	for {
		select {
		case r, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("%v ended without %s: %+v", p.cmd.Args[1], what, seen)
			}
			if fits(r) {
				return r
			}
			seen = append(seen, r)
		case <-limit.C:
			p.t.Fatalf("%v: no %s: %+v", p.cmd.Args[1], what, seen)
		}
	}
}

// skip forgets the lines so far.
func (p *program) skip() {
	for len(p.lines) > 0 {
		<-p.lines
	}
}

// kill ends it as a crash does, and returns the largest memory it had, in KiB.
func (p *program) kill() int64 {
	_ = p.cmd.Process.Kill() // it may be over already
	return p.end()
}

func (p *program) end() int64 {
	for range p.lines { // all of it was read
	}
	_ = p.cmd.Wait() // killed
	if usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss
	}
	return 0
}

// random fills a file, and returns its root by docs/files.md.
func random(t *testing.T, path string, size int64, seed uint64) string {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], seed)
	source, b := rand.NewChaCha8(key), make([]byte, chunk)
	root := sha256.New()
	fmt.Fprint(root, "parley.file.v1\n")
	_ = binary.Write(root, binary.BigEndian, size) // never fails
	for at := int64(0); at < size; at += chunk {
		part := b[:min(chunk, size-at)]
		_, _ = source.Read(part) // never fails
		if _, err := f.Write(part); err != nil {
			t.Fatal(err)
		}
		h := sha256.Sum256(part)
		root.Write(h[:])
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", root.Sum(nil))
}

// storedChunks reads from the journal which chunks the receiver verified and stored; doubled counts those that were stored
// twice since the process began.
func storedChunks(t *testing.T, dir string) (n, doubled int) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.part.json"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // finished this moment
		}
		for line := range strings.Lines(string(b)) {
			var e struct{ File, Chunk *int }
			if json.Unmarshal([]byte(line), &e) != nil || e.File == nil || e.Chunk == nil || !strings.HasSuffix(line, "\n") {
				continue
			}
			key := fmt.Sprint(*e.File, " ", *e.Chunk)
			if seen[key] {
				doubled++
			}
			seen[key] = true
		}
	}
	return len(seen), doubled
}

// killing is a transfer between two processes that are killed over and over.
type killing struct {
	t             *testing.T
	env           []string
	url, from, to string
	send, receive *program
	most          [2]int64 // memory of sender and receiver
	sent          int64    // bytes of data that left a sender, or reached a receiver, whichever is known exactly
	base          [2]int64 // what sender and receiver had counted when this piece began
	cutsOf        [2]int
}

func (k *killing) startSender() {
	k.send = command(k.t, k.env, "send", "--json", "--server", k.url, "--room", "killed", k.from)
	k.base[0] = 0
}

func (k *killing) startReceiver() {
	k.receive = command(k.t, k.env, "receive", "--json", "--yes", "--to", k.to, k.url+"/r/killed")
	k.base[1] = 0
}

// cut kills one side once so many chunks are stored, starts it again, and accounts for what had gone over the wire.
func (k *killing) cut(side int, chunks int) (over bool) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(4 * patience)
	defer limit.Stop()
	for {
		n, _ := storedChunks(k.t, k.to)
		if n >= chunks {
			break
		}
		if _, err := os.Stat(filepath.Join(k.to, filepath.Base(k.from))); err == nil {
			return true
		}
		select {
		case <-tick.C:
		case <-limit.C:
			k.t.Fatalf("only %d chunks are stored, want %d", n, chunks)
		}
	}
	k.cutsOf[side]++
	k.send.skip()
	k.receive.skip()
	lost := func(r report) bool { return r.Event == "progress" && r.State == "waiting" }
	// What the one that lives counted until it lost the other is exact.
	var r report
	if side == 0 {
		k.most[0] = max(k.most[0], k.send.kill())
		k.startSender()
		r = k.receive.until("loss of the sender", lost)
	} else {
		k.most[1] = max(k.most[1], k.receive.kill())
		k.startReceiver()
		r = k.send.until("loss of the receiver", lost)
	}
	k.sent += r.Wire - k.base[1-side]
	k.base[1-side] = r.Wire
	if _, doubled := storedChunks(k.t, k.to); doubled > 0 {
		k.t.Errorf("%d chunks were sent again after they had been verified and stored", doubled)
	}
	return false
}

// TestKilledTransfer kills the two sides of a transfer at random. `make soak` does it with 1 GiB and 20 times.
func TestKilledTransfer(t *testing.T) {
	t.Parallel()
	size, kills := int64(64<<20)-12345, 5
	if s := os.Getenv("PARLEY_SOAK_MIB"); s != "" {
		mib, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		size, kills = int64(mib)<<20-12345, 20
	} else if testing.Short() {
		t.Skip("it takes long")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	h := newHouse(t, nil)
	dir := t.TempDir()
	k := &killing{t: t, url: h.url, from: filepath.Join(dir, "big file.bin"), to: filepath.Join(dir, "to"), env: []string{"XDG_STATE_HOME=" + dir}}
	if err := os.Mkdir(k.to, 0o700); err != nil {
		t.Fatal(err)
	}
	want := random(t, k.from, size, seed)
	began := time.Now()
	k.startSender()
	k.startReceiver()
	chunks := int((size + chunk - 1) / chunk)
	at := 0
	for n := range kills {
		at += dice.IntN(max(1, (chunks-at)/(kills-n))) + 1
		if k.cut(dice.IntN(2), min(at, chunks-1)) {
			break
		}
	}
	file := k.receive.until("file", func(r report) bool { return r.Event == "file" })
	ended := k.receive.until("end", func(r report) bool { return r.Event == "ended" })
	k.most[1] = max(k.most[1], k.receive.end())
	if file.Hash != want || ended.State != "done" {
		t.Errorf("%+v, want %s; %+v", file, want, ended)
	}
	last := k.send.until("end", func(r report) bool { return r.Event == "ended" })
	k.most[0] = max(k.most[0], k.send.end())
	k.sent += ended.Wire - k.base[1]
	if last.State != "done" {
		t.Errorf("the sender says %+v", last)
	}
	got := hashFile(t, filepath.Join(k.to, "big file.bin"))
	if sent := hashFile(t, k.from); got != sent {
		t.Error("the file that arrived is another one")
	}
	extra := k.sent - size
	cuts := k.cutsOf[0] + k.cutsOf[1]
	t.Logf("%d MiB in %v, killed %d times (sender %d, receiver %d): %d bytes on the wire more than the file, %.2f MiB a cut; memory at most %d MiB (sender), %d MiB (receiver)",
		size>>20, time.Since(began).Round(time.Second/10), cuts, k.cutsOf[0], k.cutsOf[1], extra, float64(extra)/float64(max(cuts, 1))/chunk, k.most[0]>>10, k.most[1]>>10)
	// In flight is at most what a sender may be ahead of the receiver's word.
	if most := int64(cuts) * 9 * chunk; extra < 0 || extra > most {
		t.Errorf("%d bytes were sent more than once, at most %d are explained by %d cuts", extra, most, cuts)
	}
	if os.Getenv("PARLEY_BINARY") != "" && max(k.most[0], k.most[1]) > 64<<10 {
		t.Errorf("a process used %d KiB", max(k.most[0], k.most[1]))
	}
}

func hashFile(t *testing.T, path string) [32]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return [32]byte(h.Sum(nil))
}
