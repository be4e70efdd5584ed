// Start measures how long parley serve takes from its start to the first page served, and how much memory it holds
// when idle. It runs the real binary, each time anew on a free loopback port, and prints medians.
//
//	go run ./bench/start -binary bin/parley -runs 21
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// aim is what design.md §11 and the plan ask for.
const (
	aimStart  = 200 * time.Millisecond
	aimMemory = 30 << 10 // KiB
)

func main() {
	binary := flag.String("binary", "bin/parley", "program to measure")
	runs := flag.Int("runs", 11, "how many starts of each kind")
	settle := flag.Duration("settle", 2*time.Second, "how long to wait before memory is read")
	flag.Parse()
	if err := measure(os.Stdout, *binary, *runs, *settle); err != nil {
		fmt.Fprintln(os.Stderr, "start:", err)
		os.Exit(1)
	}
}

// measure prints the table.
func measure(w io.Writer, binary string, runs int, settle time.Duration) error {
	if runs < 1 {
		return errors.New("no runs")
	}
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "parley-start-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var first, again []time.Duration
	var memory []int
	for i := range runs {
		data := filepath.Join(dir, strconv.Itoa(i))
		made, _, err := start(binary, data, 0)
		if err != nil {
			return err
		}
		found, kib, err := start(binary, data, settle)
		if err != nil {
			return err
		}
		first, again, memory = append(first, made), append(again, found), append(memory, kib)
	}
	fmt.Fprintf(w, "binary                              %8.1f MB\n", float64(info.Size())/1e6)
	fmt.Fprintf(w, "start to first page, new data dir   %8.1f ms (slowest %.1f) = %.2f of the aim\n", ms(median(first)), ms(slices.Max(first)), float64(median(first))/float64(aimStart))
	fmt.Fprintf(w, "start to first page, again          %8.1f ms (slowest %.1f) = %.2f of the aim\n", ms(median(again)), ms(slices.Max(again)), float64(median(again))/float64(aimStart))
	fmt.Fprintf(w, "resident memory, idle after a page  %8.1f MiB = %.2f of the aim\n", float64(median(memory))/1024, float64(median(memory))/aimMemory)
	return nil
}

func median[T int | time.Duration](list []T) T {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

var pageLine = regexp.MustCompile(`^ *Page +(http://localhost:[0-9]+/)`)

// start runs the binary until its page was served, settle longer, and ends it. It returns how long the page took and
// the resident memory in KiB.
func start(binary, data string, settle time.Duration) (took time.Duration, memory int, err error) {
	cmd := exec.Command(binary, "serve", "--listen", "127.0.0.1:0", "--data", data, "--config", os.DevNull)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	cmd.Stderr = os.Stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		err = errors.Join(err, cmd.Wait())
	}()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		m := pageLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		go func() { _, _ = io.Copy(io.Discard, out) }() // the rest of what it prints
		if err := fetch(m[1]); err != nil {
			return 0, 0, err
		}
		took = time.Since(began)
		<-time.After(settle)
		memory, err = resident(cmd.Process.Pid)
		return took, memory, err
	}
	return 0, 0, errors.New("it printed no address")
}

// fetch gets the page.
func fetch(url string) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get(url)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return err
	}
	if r.StatusCode != http.StatusOK && r.StatusCode != http.StatusServiceUnavailable { // 503 is the placeholder of a build without the page
		return fmt.Errorf("%s: %s", url, r.Status)
	}
	return nil
}

// resident reads VmRSS in KiB.
func resident(pid int) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
		}
	}
	return 0, errors.New("no VmRSS")
}
