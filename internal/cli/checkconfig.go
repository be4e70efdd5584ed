package cli

import (
	"fmt"

	"github.com/parley-rtc/parley/internal/certificate"
	"github.com/parley-rtc/parley/internal/config"
)

type checkConfigCommand struct {
	settings `embed:""`
}

// Run prints the effective configuration, and tries the files that it names.
func (c *checkConfigCommand) Run(w *World) error {
	loaded, err := c.load(w)
	if err != nil {
		return err
	}
	for _, slip := range config.Slips(w.Environ) {
		fmt.Fprintln(w.Stderr, "parley: warning: "+slip)
	}
	if loaded.Cert != "" {
		if err := certificate.Check(loaded.Cert, loaded.Key); err != nil {
			return err
		}
	}
	return loaded.WriteYAML(w.Stdout)
}
