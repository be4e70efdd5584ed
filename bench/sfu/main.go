// Command sfu measures what forwarding costs a server: processor time and allocations per packet, memory per person, the time
// until a newcomer sees something, latency and loss. The clients are pion's, all in this process; each server is a process of its
// own, and servers take turns in every round, so that what else the machine does strikes all alike.
//
//	go run ./bench/sfu                         the plain fan-out on pion, for comparison
//	go run ./bench/sfu -server name=PROGRAM    the same beside a program, which may have arguments, such as bench/sfu/ours
//
// A program that can be measured prints the base of its URLs, such as http://127.0.0.1:1234, as the first line of its output,
// and ends when its input does. POST BASE/ROOM/SEAT with an offer (application/sdp, with all candidates) makes a person of it:
// 201 and the answer with all candidates. What the offer sends is passed to everybody else in the room, each in the next place,
// which is a section of that kind that only receives, that is free: also when they came earlier. GET BASE/memory answers
// {"mallocs": all allocations so far}.
//
// Scenarios: W is 2 publishers and 40 receivers, C is 8 people who all send and receive, R is two rooms of 1 publisher and 20
// receivers, for servers with more than one loop, L is 1 publisher and 12 receivers; one is one of each, and direct the same without
// a server, the floor of the method: where both are measured, it is printed how much later packets come through each server. hop is
// direct with a process between that passes datagrams on as they are: the floor of servers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sfu:", err)
		os.Exit(1)
	}
}

// servers are the programs to measure, by name.
type servers []program

type program struct {
	name    string
	command []string
}

// String makes it a flag.
func (s *servers) String() string { return "" }

// Set adds name=command.
func (s *servers) Set(v string) error {
	name, command, ok := strings.Cut(v, "=")
	if !ok || name == "" || strings.TrimSpace(command) == "" {
		return errors.New("want name=command")
	}
	*s = append(*s, program{name, strings.Fields(command)})
	return nil
}

// options are what is measured, and for how long.
type options struct {
	rounds    int
	window    time.Duration
	scenarios []scenario
	servers   servers
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("sfu", flag.ContinueOnError)
	var o options
	flags.IntVar(&o.rounds, "rounds", 3, "how often everything is measured")
	flags.DurationVar(&o.window, "for", 8*time.Second, "how long the processor is measured each time")
	flags.Var(&o.servers, "server", "name=command of a server to measure beside plain; may be repeated")
	only := flags.String("only", "W,C,R,L,one,direct,hop", "which scenarios")
	alone := flags.Bool("alone", false, "measure the servers without plain")
	serve := flags.Bool("serve-plain", false, "be the plain server (the program starts itself so)")
	beHop := flags.Bool("serve-hop", false, "be the hop (the program starts itself so)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *beHop {
		return serveHop(in, out)
	}
	if *serve {
		return servePlain(in, out)
	}
	for name := range strings.SplitSeq(*only, ",") {
		i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return fmt.Errorf("no scenario %q", name)
		}
		o.scenarios = append(o.scenarios, scenarios[i])
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if *alone {
		return o.measure(ctx, out)
	}
	o.servers = append(servers{{"plain", []string{self, "-serve-plain"}}}, o.servers...)
	return o.measure(ctx, out)
}

// measure runs all rounds and prints the results.
func (o *options) measure(ctx context.Context, out io.Writer) error {
	var all []result
	for round := range o.rounds {
		order, scenarios := slices.Clone(o.servers), slices.Clone(o.scenarios)
		if round%2 == 1 { // nobody is always the first
			slices.Reverse(order)
			slices.Reverse(scenarios)
		}
		for _, s := range scenarios {
			for i, p := range order {
				if s.direct && i > 0 {
					continue
				}
				r, err := s.run(ctx, p, o.window)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", p.name, s.name, err)
				}
				fmt.Fprintf(out, "round %d: %v\n", round+1, r)
				all = append(all, r)
			}
		}
	}
	fmt.Fprintln(out)
	table(out, all)
	added(out, all)
	return nil
}
