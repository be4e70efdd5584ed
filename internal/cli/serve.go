package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"syscall"

	"github.com/parley-rtc/parley/internal/config"
	"github.com/parley-rtc/parley/internal/server"
	"github.com/parley-rtc/parley/web"
)

type serveCommand struct {
	settings `embed:""`
	QR       bool `name:"qr" help:"Print the guest link as a QR code even when the output is no terminal."`
}

// Run serves until a signal. What a person needs to know goes to standard output, the log to standard error.
func (c *serveCommand) Run(w *World) error {
	loaded, err := c.load(w)
	if err != nil {
		return err
	}
	log := newLog(w.Stderr, loaded.Log)
	for _, slip := range config.Slips(w.Environ) {
		log.Warn(slip)
	}
	s, err := server.Open(context.Background(), server.Config{Config: loaded.Config, Version: version()}, web.FS(), log)
	if err != nil {
		return adviseStart(err, loaded.Listen)
	}
	defer s.Close()
	if err := printStart(w.Stdout, s.Info(), loaded.File, c.QR || w.Terminal); err != nil {
		return err
	}
	ctx, drain := context.WithCancel(context.Background())
	defer drain()
	done := make(chan struct{})
	defer close(done)
	go func() {
		for first := true; ; first = false {
			select {
			case <-done:
				return
			case <-w.Signals:
			}
			if first {
				fmt.Fprintln(w.Stdout, "Going down: those in calls are told. Once more stops at once.")
				drain()
				continue
			}
			s.Close()
			return
		}
	}()
	return s.Run(ctx)
}

// newLog makes the log of the process.
func newLog(w io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		panic("cli: the configuration is valid: " + err.Error())
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// adviseStart adds to an error of the start what a person can do about it.
func adviseStart(err error, listen string) error {
	_, port, _ := net.SplitHostPort(listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %s is taken by another program, perhaps by another Parley. Stop that, or choose another port, such as --listen :%s (%w)", port, another(port), err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s is not an address of this machine. Leave the host out to listen on all: --listen :%s (%w)", listen, port, err)
	case errors.Is(err, syscall.EACCES) && isListen(err):
		return fmt.Errorf("this user may not open port %s. Run as root, allow it (sudo setcap cap_net_bind_service=+ep %s), or choose a port from 1024 on, such as --listen :8443 (%w)", port, program(), err)
	}
	return err
}

func isListen(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "listen"
}

// another is a port to propose instead of one that is taken.
func another(port string) string {
	if port == "9443" {
		return "8443"
	}
	return "9443"
}

func program() string {
	if path, err := os.Executable(); err == nil {
		return path
	}
	return "parley"
}
