package cli

import (
	"github.com/parley-rtc/parley/internal/config"
)

// settings are the flags that stand over keys of the configuration. Pointers tell what was given, even empty, from what
// was not.
type settings struct {
	Listen        *string `placeholder:"[HOST]:PORT" help:"${listen}"`
	Domain        *string `placeholder:"NAME" help:"${domain}"`
	Cert          *string `placeholder:"FILE" help:"${cert}"`
	Key           *string `placeholder:"FILE" help:"${key}"`
	PublicAddress *string `placeholder:"auto|IP[,IP6]" help:"${public_address}"`
	Data          *string `placeholder:"DIR" help:"${data}"`
	Config        string  `placeholder:"FILE" help:"Configuration in YAML; docs/config.md lists the keys. The default is parley.yaml in the working directory, if there is one. Every key has an environment form such as PARLEY_RELAY_PORTS; flags stand over the environment, and that over the file."`
}

// load reads the configuration.
func (s *settings) load(w *World) (*config.Loaded, error) {
	flags := map[string]string{}
	for key, value := range map[string]*string{
		"listen": s.Listen, "domain": s.Domain, "cert": s.Cert, "key": s.Key, "public_address": s.PublicAddress, "data": s.Data,
	} {
		if value != nil {
			flags[key] = *value
		}
	}
	return config.Load(config.Sources{File: s.Config, Env: w.env, Flags: flags, Root: w.Root})
}
