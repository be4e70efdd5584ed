// Package cli is the command line: verbs, flags, what is printed, signals and exit statuses. A verb's work is done
// elsewhere.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/parley-rtc/parley/internal/config"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // the verb could not do its work
	exitUsage  = 2 // the command line makes no sense
)

// World is what a command sees of the system, so that tests can hand it another one.
type World struct {
	// Stdin is where a verb reads what must not stand on the command line.
	Stdin io.Reader
	// Stdout and Stderr are where results and the log go.
	Stdout, Stderr io.Writer
	// Environ is the environment, as NAME=value.
	Environ []string
	// Signals delivers requests to end: the first asks to drain, the second to stop at once. Nil means that none come.
	Signals <-chan os.Signal
	// Root is true for root's processes.
	Root bool
	// Terminal is true when Stdout is one.
	Terminal bool
}

// System is the real world. From now on SIGINT and SIGTERM are the World's.
func System() *World {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	info, err := os.Stdout.Stat()
	return &World{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ(), Signals: signals, Root: os.Geteuid() == 0,
		Terminal: err == nil && info.Mode()&os.ModeCharDevice != 0,
	}
}

// context ends with the first signal, for verbs that need no second one.
func (w *World) context() (context.Context, error) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		if w.Signals != nil {
			<-w.Signals
			cancel()
		}
	}()
	return ctx, nil
}

// env looks a variable up.
func (w *World) env(name string) (string, bool) {
	for _, pair := range w.Environ {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// commands are the verbs; the help follows their order.
type commands struct {
	Serve       serveCommand       `cmd:"" help:"Run the server: page, signalling, STUN and TURN on one TCP port and one UDP port of the same number."`
	Call        Call               `cmd:"" help:"Join a room without a screen: send a tone and a test pattern, or files, say each second what arrives, record it."`
	Send        Send               `cmd:"" help:"Send files to whoever opens the link that it prints, in a browser or with receive. What was stopped goes on later."`
	Receive     Receive            `cmd:"" help:"Take the files that somebody sends in a room."`
	Doctor      doctorCommand      `cmd:"" help:"Look at a server as its users meet it: name, certificate, every port by real use, calls by every way. Say what does not work and what to do; status 1 if something failed."`
	CheckConfig checkConfigCommand `cmd:"" help:"Print the configuration as serve would use it, each value with where it comes from. Status 1 and every fault with its line if it would not start."`
	Token       tokenCommand       `cmd:"" help:"Print the host link and the guest link of a room of this data directory's server."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

// exit ends kong's work after --help.
type exit int

// Main runs the command line args, without the program's name, and returns the exit status.
func Main(args []string, w *World) (status int) {
	defer func() {
		switch code := recover().(type) {
		case nil:
		case exit:
			status = int(code)
		default:
			panic(code)
		}
	}()
	var verbs commands
	parser, err := kong.New(&verbs,
		kong.Name("parley"),
		kong.Description("Calls between browsers, by the most direct path. Start it with: parley serve"),
		kong.Vars(manual()),
		kong.Writers(w.Stdout, w.Stderr),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100, NoExpandSubcommands: true}),
		kong.Bind(w),
		kong.BindTo(w.Stdin, (*io.Reader)(nil)),
		kong.BindTo(w.Stdout, (*io.Writer)(nil)),
		kong.BindToProvider(w.context),
	)
	if err != nil {
		panic("cli: the verbs are well formed: " + err.Error())
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(w.Stderr, "parley: %v\nTry: parley --help\n", err)
		return exitUsage
	}
	if err := chosen.Run(); err != nil {
		fmt.Fprintln(w.Stderr, explain(err))
		return exitFailed
	}
	return exitOK
}

// manual makes the help of a flag from what the configuration says of its key.
func manual() map[string]string {
	vars := map[string]string{}
	for _, key := range []string{"listen", "domain", "cert", "key", "public_address", "data"} {
		vars[key] = config.Doc(key)
	}
	return vars
}

// explain makes the words of an error that ends the program.
func explain(err error) string {
	var faults config.Faults
	if errors.As(err, &faults) {
		n := fmt.Sprintf("%d faults", len(faults))
		if len(faults) == 1 {
			n = "1 fault"
		}
		return fmt.Sprintf("%s\nparley: %s in the configuration", faults.Error(), n)
	}
	return "parley: " + strings.TrimPrefix(strings.TrimSpace(err.Error()), "parley: ")
}
