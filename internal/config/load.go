package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// DefaultFile is the file that is read when none is named and it exists in the working directory.
const DefaultFile = "parley.yaml"

// Sources is where a configuration comes from. The zero value means defaults alone.
type Sources struct {
	// File is the file that the person named; it must exist. Empty: PARLEY_CONFIG, else DefaultFile if there is one.
	File string
	// Env looks an environment variable up, as os.LookupEnv does; nil means none is set.
	Env func(name string) (value string, ok bool)
	// Flags are the flags that were given, by key ("public_address"); empty values count.
	Flags map[string]string
	// Root is true when the process is root's: the default data directory depends on it.
	Root bool
}

// Loaded is a valid configuration, and how it came about.
type Loaded struct {
	Config
	// File is the file that was read; empty when there was none.
	File string

	fields []*field
}

// Load reads the configuration. The error is a [Faults] with everything that is wrong.
func Load(src Sources) (*Loaded, error) {
	if src.Env == nil {
		src.Env = func(string) (string, bool) { return "", false }
	}
	c := &Loaded{}
	var faults Faults
	var text []byte
	c.File, text = c.read(src, &faults)
	c.apply(src, text, &faults)
	if err := faults.sorted(); err != nil {
		return nil, err
	}
	return c, nil
}

// read finds and reads the file.
func (c *Loaded) read(src Sources, faults *Faults) (string, []byte) {
	name, from := src.File, origin{rank: 3, name: "--config"}
	if name == "" {
		name, _ = src.Env("PARLEY_CONFIG")
		from = origin{rank: 2, name: "PARLEY_CONFIG"}
	}
	named := name != ""
	if !named {
		name = DefaultFile
	}
	text, err := readAtMost(name, maxFile+1)
	switch {
	case err == nil:
		return name, text
	case errors.Is(err, fs.ErrNotExist) && !named:
		return "", nil
	case !named:
		from = origin{rank: 1, name: name}
	}
	faults.add(from, "", "cannot read the configuration: %v", err)
	return "", nil
}

// readAtMost reads a file, but no more than n bytes of it.
func readAtMost(name string, n int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, n))
}

// apply fills c from all sources in the order of their weight, then checks what one value says about another.
func (c *Loaded) apply(src Sources, text []byte, faults *Faults) {
	c.fields = fields(&c.Config)
	for _, f := range c.fields {
		if def := f.tag.Get("default"); def != "" {
			if err := f.set(f.splitList(def)); err != nil {
				panic(fmt.Sprintf("config: the default of %s is valid: %v", f.key, err))
			}
		}
	}
	readFile(c.File, text, c.fields, faults)
	for _, f := range c.fields {
		if line, ok := src.Env(f.env()); ok && line != "" {
			c.override(f, origin{rank: 2, name: f.env()}, line, faults)
		}
	}
	for _, f := range c.fields {
		if line, ok := src.Flags[f.key]; ok {
			c.override(f, origin{rank: 3, name: flagName(f.key)}, line, faults)
		}
	}
	if c.Listen == "" {
		c.Listen = ":8443"
		if c.Domain != "" {
			c.Listen = ":443"
		}
	}
	if c.Data == "" {
		c.Data = defaultData(src)
	}
	c.check(faults)
}

// override sets f from one line of text, unless it is bad.
func (c *Loaded) override(f *field, from origin, line string, faults *Faults) {
	if err := f.set(f.splitList(line)); err != nil {
		faults.add(from, f.key, "%v", err)
		return
	}
	f.from = from
}

// flagName is the flag of a key: --public-address.
func flagName(key string) string { return "--" + strings.ReplaceAll(key, "_", "-") }

// defaultData is where programs of this user keep their data (XDG Base Directory Specification).
func defaultData(src Sources) string {
	if src.Root {
		return "/var/lib/parley"
	}
	if dir, _ := src.Env("XDG_DATA_HOME"); filepath.IsAbs(dir) { // relative ones are to be ignored, says the specification
		return filepath.Join(dir, "parley")
	}
	if home, _ := src.Env("HOME"); home != "" {
		return filepath.Join(home, ".local", "share", "parley")
	}
	return ""
}

// Slips returns a sentence for each name of environ ("NAME=value") that looks like a misspelt key. Unknown names are
// no fault: Kubernetes sets PARLEY_PORT and its like by itself for a service called parley.
func Slips(environ []string) []string {
	var known []string
	for _, f := range fields(&Config{}) {
		known = append(known, f.env())
	}
	var out []string
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "PARLEY_") || slices.Contains(known, name) {
			continue
		}
		if near := nearest(name, known); near != "" && name != "PARLEY_CONFIG" {
			out = append(out, fmt.Sprintf("the environment variable %s means nothing; did you mean %s?", name, near))
		}
	}
	slices.Sort(out)
	return out
}
