package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds the configuration file in bytes; one with every key is a hundredth of it.
const maxFile = 1 << 20

// reader walks the one YAML document of a file and sets fields.
type reader struct {
	name   string
	fields map[string]*field
	faults *Faults
}

// readFile sets fields from the YAML text b of the file called name.
func readFile(name string, b []byte, all []*field, faults *Faults) {
	r := &reader{name: name, fields: map[string]*field{}, faults: faults}
	for _, f := range all {
		r.fields[f.key] = f
	}
	if len(b) > maxFile {
		faults.add(r.at(1), "", "longer than %d bytes: not a configuration file", maxFile)
		return
	}
	var doc yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(b))
	if err := decoder.Decode(&doc); err != nil {
		if !errors.Is(err, io.EOF) { // an empty file is a file with no keys
			r.syntax(err)
		}
		return
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		faults.add(r.at(second.Line), "", "a second document begins here; write one")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
	}
	if len(doc.Content) == 1 {
		r.mapping(doc.Content[0], "")
	}
}

func (r *reader) at(line int) origin { return origin{rank: 1, name: r.name, line: max(line, 1)} }

var yamlLine = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s*)?(?:line (\d+): )?`)

// syntax adds the fault of a text that is not YAML.
func (r *reader) syntax(err error) {
	line := 1
	words := err.Error()
	if m := yamlLine.FindStringSubmatch(words); m != nil {
		words = words[len(m[0]):]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	r.faults.add(r.at(line), "", "not readable as YAML: %s", words)
}

// mapping reads the keys of node, which stand below prefix ("" or such as "relay.").
func (r *reader) mapping(node *yaml.Node, prefix string) {
	section := strings.TrimSuffix(prefix, ".")
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return // a section of which everything is commented out
	}
	if node.Kind != yaml.MappingNode {
		r.faults.add(r.at(node.Line), section, "keys with values are expected here, as in %q", "listen: :8443")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		if name.Kind != yaml.ScalarNode || name.Tag == "!!merge" {
			r.faults.add(r.at(name.Line), section, "a key must be a plain word")
			continue
		}
		key := prefix + name.Value
		if first, ok := seen[key]; ok {
			r.faults.add(r.at(name.Line), r.shown(key), "already set in line %d", first)
			continue
		}
		seen[key] = name.Line
		switch f := r.fields[key]; {
		case f != nil:
			r.leaf(f, name.Line, value)
		case r.section(key):
			r.mapping(value, key+".")
		default:
			r.unknown(key, name.Line)
		}
	}
}

// section reports whether key has keys below it.
func (r *reader) section(key string) bool {
	for known := range r.fields {
		if strings.HasPrefix(known, key+".") {
			return true
		}
	}
	return false
}

// unknown adds the fault of a key that does not exist. The value is not told: it may be a secret in the wrong place.
func (r *reader) unknown(key string, line int) {
	known := make([]string, 0, len(r.fields))
	for k := range r.fields {
		known = append(known, k)
		if section, _, ok := strings.Cut(k, "."); ok {
			known = append(known, section)
		}
	}
	slices.Sort(known)
	if near := nearest(strings.ReplaceAll(key, "-", "_"), known); near != "" {
		r.faults.add(r.at(line), r.shown(key), "no such key; did you mean %s?", near)
		return
	}
	// The same last word in another place, such as ports instead of relay.ports.
	for _, k := range known {
		if strings.HasSuffix(k, "."+key[strings.LastIndexByte(key, '.')+1:]) {
			r.faults.add(r.at(line), r.shown(key), "no such key; did you mean %s?", k)
			return
		}
	}
	r.faults.add(r.at(line), r.shown(key), "no such key")
}

// shown is a key as a fault may show it: short, in one line.
func (r *reader) shown(key string) string {
	if len(key) > 64 {
		key = key[:64] + "…"
	}
	if q := strconv.Quote(key); q != `"`+key+`"` {
		return q
	}
	return key
}

// leaf sets f, whose name stands in the given line, from its value.
func (r *reader) leaf(f *field, line int, value *yaml.Node) {
	from := r.at(line)
	var words []string
	switch {
	case value.Kind == yaml.AliasNode || value.Anchor != "":
		r.faults.add(from, f.key, "anchors and aliases are not read; write the value out")
		return
	case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
		r.faults.add(from, f.key, "has no value; give one or remove the key")
		return
	case value.Kind == yaml.ScalarNode:
		words = []string{value.Value}
		if f.list() {
			words = f.splitList(value.Value)
		}
	case value.Kind == yaml.SequenceNode && f.list():
		r.items(f, from, value)
		return
	case value.Kind == yaml.SequenceNode:
		r.faults.add(from, f.key, "takes one value, not a list")
		return
	default:
		r.faults.add(from, f.key, "takes a value, not further keys")
		return
	}
	if err := f.set(words); err != nil {
		r.faults.add(from, f.key, "%v", err)
		return
	}
	f.from = from
}

// items sets a list from a YAML list; each bad item is a fault in its own line.
func (r *reader) items(f *field, from origin, list *yaml.Node) {
	var words []string
	bad := false
	for _, item := range list.Content {
		err := error(nil)
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" || item.Anchor != "" {
			err = errors.New("each item must be one value")
		} else {
			_, err = f.item(item.Value)
		}
		if err != nil {
			r.faults.add(r.at(item.Line), f.key, "%v", err)
			bad = true
			continue
		}
		words = append(words, item.Value)
	}
	if bad {
		return
	}
	if err := f.set(words); err == nil {
		f.from = from
	}
}
