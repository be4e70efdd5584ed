package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// target is a server under test.
type target struct {
	process *exec.Cmd
	input   io.Closer
	base    string
}

// start starts a program and waits for its address.
func start(ctx context.Context, p program) (*target, error) {
	t := &target{process: exec.CommandContext(ctx, p.command[0], p.command[1:]...)}
	t.process.Stderr = os.Stderr
	in, err := t.process.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := t.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := t.process.Start(); err != nil {
		return nil, err
	}
	t.input = in
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.stop()
		return nil, fmt.Errorf("no address from the server: %w", err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	t.base = strings.TrimRight(strings.TrimSpace(line), "/")
	return t, nil
}

// stop ends the server's input, and then the server.
func (t *target) stop() {
	t.input.Close()
	timer := time.AfterFunc(5*time.Second, func() { _ = t.process.Process.Kill() })
	defer timer.Stop()
	_ = t.process.Wait()
}

// clockTick is how many parts a second has in /proc: 100 on every Linux that Go runs on.
const clockTick = 100

// processor returns the time that the server has had, its kernel's included.
func (t *target) processor() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", t.process.Process.Pid))
	if err != nil {
		return 0, err
	}
	return parseStat(b)
}

// parseStat reads the time out of /proc/pid/stat (proc(5)). The name in it may have anything, so it is read from its end.
func parseStat(b []byte) (time.Duration, error) {
	_, after, ok := bytes.Cut(b[max(0, bytes.LastIndexByte(b, ')')):], []byte(") "))
	fields := bytes.Fields(after)
	if !ok || len(fields) < 13 {
		return 0, errors.New("/proc/pid/stat is of another form")
	}
	var sum uint64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseUint(string(f), 10, 48)
		if err != nil {
			return 0, fmt.Errorf("/proc/pid/stat: %w", err)
		}
		sum += n
	}
	return time.Duration(sum) * (time.Second / clockTick), nil
}

// resident returns the server's memory in bytes.
func (t *target) resident() (uint64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", t.process.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0, errors.New("/proc/pid/statm is of another form")
	}
	pages, err := strconv.ParseUint(fields[1], 10, 48)
	return pages * uint64(os.Getpagesize()), err
}

// mallocs asks the server for its allocations so far.
func (t *target) mallocs(ctx context.Context) (uint64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.base+"/memory", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var answer struct {
		Mallocs uint64 `json:"mallocs"`
	}
	return answer.Mallocs, json.NewDecoder(io.LimitReader(response.Body, 1<<16)).Decode(&answer)
}
