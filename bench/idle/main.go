// Command idle measures what idle signalling sessions cost: memory per session and processor time, with the clients in
// another process. Each session has joined a room, two to a room, and pings as often as welcome asks.
//
//	go run ./bench/idle            10,000 sessions over plain WebSockets on loopback
//	go run ./bench/idle -tls       the same over TLS 1.3
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// spareFiles are descriptors that a process needs besides its sockets.
const spareFiles = 100

func main() {
	n := flag.Int("n", 10_000, "how many sessions")
	overTLS := flag.Bool("tls", false, "use TLS")
	window := flag.Duration("for", 30*time.Second, "how long to measure the processor")
	serve := flag.Bool("serve", false, "be the server (the program starts itself so)")
	flag.Parse()
	var err error
	if *serve {
		err = runServer(*overTLS, os.Stdin, os.Stdout)
	} else {
		err = measure(os.Stdout, *n, *overTLS, *window)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "idle:", err)
		os.Exit(1)
	}
}

// measure starts the server as a process of its own, opens the sessions from here and prints the difference.
func measure(out io.Writer, n int, overTLS bool, window time.Duration) error {
	limit, err := raiseFiles()
	if err != nil {
		return err
	}
	if most := int(limit) - spareFiles; n > most {
		fmt.Fprintf(out, "only %d sessions: the hard limit of open files is %d (ulimit -Hn)\n", most, limit)
		n = most
	}
	server, err := startServer(overTLS)
	if err != nil {
		return err
	}
	defer server.stop()
	var empty, filled, later report
	if err := server.ask(&empty); err != nil {
		return err
	}
	started := time.Now()
	sessions, err := openAll(server.address, n, overTLS)
	if err != nil {
		return err
	}
	defer sessions.close()
	opened := time.Since(started)
	if err := server.ask(&filled); err != nil {
		return err
	}
	<-time.After(window)
	if err := server.ask(&later); err != nil {
		return err
	}
	if dead := sessions.dead.Load(); dead > 0 {
		return fmt.Errorf("%d sessions ended meanwhile", dead)
	}
	show(out, n, overTLS, opened, empty, filled, later)
	return nil
}

func show(out io.Writer, n int, overTLS bool, opened time.Duration, empty, filled, later report) {
	kind := "plain WebSocket"
	if overTLS {
		kind = "TLS"
	}
	each := func(bytes func(report) int64) float64 { return float64(bytes(later)-bytes(empty)) / float64(n) / 1024 }
	fmt.Fprintf(out, "%d idle sessions, two to a room, %s on loopback; server alone in its process\n", n, kind)
	fmt.Fprintf(out, "  resident memory     %6.2f KiB per session (%.2f before the garbage collector ran and gave memory back)\n",
		each(func(r report) int64 { return r.Resident }), each(func(r report) int64 { return r.ResidentBefore }))
	fmt.Fprintf(out, "  heap, stacks        %6.2f + %.2f KiB per session, %.2f goroutines\n",
		each(func(r report) int64 { return r.Heap }), each(func(r report) int64 { return r.Stack }),
		float64(later.Goroutines-empty.Goroutines)/float64(n))
	cpu := later.CPUNanoseconds - later.LookNanoseconds - filled.CPUNanoseconds
	wall := later.AtNanoseconds - filled.AtNanoseconds
	fmt.Fprintf(out, "  processor, idle     %6.2f ms per second (%.3f %% of one core), pings included\n",
		float64(cpu)/float64(wall)*1000, float64(cpu)/float64(wall)*100)
	fmt.Fprintf(out, "  opening             %6.2f ms of processor per session; all of them in %.1f s\n",
		float64(filled.CPUNanoseconds-filled.LookNanoseconds-empty.CPUNanoseconds)/float64(n)/1e6, opened.Seconds())
	fmt.Fprintf(out, "  server without any  %6.2f MiB resident\n", float64(empty.Resident)/(1<<20))
}

// raiseFiles lifts the soft limit of open files to the hard one and returns it.
func raiseFiles() (uint64, error) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0, err
	}
	r.Cur = r.Max
	return r.Cur, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &r)
}

// process is the server's process.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	address string
}

func startServer(overTLS bool) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(self, "-serve", fmt.Sprintf("-tls=%v", overTLS))}
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if !p.out.Scan() {
		p.stop()
		return nil, fmt.Errorf("the server did not start: %w", p.out.Err())
	}
	p.address = p.out.Text()
	return p, nil
}

// ask has the server tell what it uses now.
func (p *process) ask(r *report) error {
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		return err
	}
	if !p.out.Scan() {
		return fmt.Errorf("the server ended: %w", p.out.Err())
	}
	return json.Unmarshal(p.out.Bytes(), r)
}

// stop ends the server by closing its input.
func (p *process) stop() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}
