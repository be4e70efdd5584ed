//go:build linux

// Command wan is a long cable between two network namespaces of one machine: it makes a TAP device in each and carries
// frames between them with delay, jitter, loss and a limited rate, all of which can be changed while it runs. It needs
// no kernel module for impairment, only /dev/net/tun and root.
//
//	wan NAME=NAMESPACE:DEVICE,NAMESPACE:DEVICE ...
//
// It says "ready" when the devices are there. They go when it ends. Then it obeys one command a line on standard input
// and answers each with "ok" or "error: …":
//
//	NAME|* [up|down] delay|jitter DURATION     up: from the first device to the second; down: back; default both
//	NAME|* [up|down] loss PERCENT
//	NAME|* [up|down] rate KBIT/S               0 is unlimited
//	NAME|* [up|down] queue BYTES               what may wait for the rate
//	NAME|* [up|down] cut|mend
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "wan:", err)
		os.Exit(1)
	}
}

// run lays the cables and obeys until the input ends or a cable breaks.
func run(args []string, in io.Reader, out io.Writer) error {
	broken := make(chan error, 4*len(args)+1)
	cables := make(map[string]*cable, len(args))
	for _, arg := range args {
		name, ends, err := parseCable(arg)
		if err != nil {
			return err
		}
		files := [2]*os.File{}
		for i, end := range ends {
			if files[i], err = openTAP(end[0], end[1]); err != nil {
				return err
			}
		}
		// They are closed by the end of the program, and gone with that.
		cables[name] = newCable(files, func(err error) { broken <- err })
	}
	fmt.Fprintln(out, "ready")
	go func() {
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			if err := obey(cables, lines.Text()); err != nil {
				fmt.Fprintln(out, "error:", err)
				continue
			}
			fmt.Fprintln(out, "ok")
		}
		broken <- lines.Err()
	}()
	return <-broken
}

// parseCable reads NAME=NAMESPACE:DEVICE,NAMESPACE:DEVICE.
func parseCable(arg string) (name string, ends [2][2]string, err error) {
	name, rest, ok := strings.Cut(arg, "=")
	parts := strings.Split(rest, ",")
	if !ok || len(parts) != 2 {
		return "", ends, fmt.Errorf("%q is not NAME=NAMESPACE:DEVICE,NAMESPACE:DEVICE", arg)
	}
	for i, part := range parts {
		namespace, device, ok := strings.Cut(part, ":")
		if !ok {
			return "", ends, fmt.Errorf("%q is not NAMESPACE:DEVICE", part)
		}
		ends[i] = [2]string{namespace, device}
	}
	return name, ends, nil
}

// obey carries out one command.
func obey(cables map[string]*cable, text string) error {
	words := strings.Fields(text)
	if len(words) < 2 {
		return fmt.Errorf("%q is not a command", text)
	}
	name, words, direction := words[0], words[1:], -1
	if words[0] == "up" || words[0] == "down" {
		direction = map[string]int{"up": 0, "down": 1}[words[0]]
		words = words[1:]
	}
	apply, err := parseChange(words)
	if err != nil {
		return err
	}
	found := false
	for key, c := range cables {
		if name == "*" || name == key {
			found = true
			if err := c.change(direction, apply); err != nil {
				return err
			}
		}
	}
	if !found {
		return fmt.Errorf("no cable %q", name)
	}
	return nil
}

// parseChange reads what to change from the words after the cable and the direction.
func parseChange(words []string) (func(*settings) error, error) {
	switch {
	case len(words) == 1 && words[0] == "cut":
		return func(s *settings) error { s.down = true; return nil }, nil
	case len(words) == 1 && words[0] == "mend":
		return func(s *settings) error { s.down = false; return nil }, nil
	case len(words) != 2:
		return nil, fmt.Errorf("%q is not a change", strings.Join(words, " "))
	}
	what, value := words[0], words[1]
	if what == "delay" || what == "jitter" {
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return nil, fmt.Errorf("%s %q is not a duration", what, value)
		}
		return func(s *settings) error {
			if what == "delay" {
				s.delay = d
			} else {
				s.jitter = d
			}
			return nil
		}, nil
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("%s %q is not a number", what, value)
	}
	return func(s *settings) error {
		switch what {
		case "loss":
			s.loss = n / 100
		case "rate":
			s.rate = int64(n * 1000)
		case "queue":
			s.queue = int(n)
		default:
			return fmt.Errorf("nothing is called %q", what)
		}
		return nil
	}, nil
}
