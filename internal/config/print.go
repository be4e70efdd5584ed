package config

import (
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// WriteYAML writes the effective configuration as a parley.yaml that means the same, each key with where its value
// comes from.
func (c *Loaded) WriteYAML(w io.Writer) error {
	root := &yaml.Node{Kind: yaml.MappingNode}
	sections := map[string]*yaml.Node{"": root}
	for _, f := range c.fields {
		section, name := "", f.key
		if s, n, ok := strings.Cut(f.key, "."); ok {
			section, name = s, n
		}
		into := sections[section]
		if into == nil {
			into = &yaml.Node{Kind: yaml.MappingNode}
			sections[section] = into
			root.Content = append(root.Content, scalar(section), into)
		}
		value := f.node()
		value.LineComment = f.from.String()
		into.Content = append(into.Content, scalar(name), value)
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return fmt.Errorf("config: write: %w", err)
	}
	return e.Close()
}

func (f *field) node() *yaml.Node {
	words := f.words()
	if !f.list() {
		n := scalar(words[0])
		if words[0] == "" {
			n.Style = yaml.DoubleQuotedStyle
		}
		return n
	}
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, w := range words {
		n.Content = append(n.Content, scalar(w))
	}
	return n
}

func scalar(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }

// Doc returns the manual of a key, for the help of its flag; it panics on an unknown key.
func Doc(key string) string {
	for _, f := range fields(&Config{}) {
		if f.key == key {
			return f.tag.Get("doc")
		}
	}
	panic("config: no key " + key)
}

const manualHead = `# Configuration

<!-- Made by make gen from internal/config. Do not edit. -->

Parley needs none. What you set comes from, the weightiest first:

1. flags of ` + "`parley serve`" + ` (` + "`--listen --domain --cert --key --public-address --data`" + `),
2. environment variables; an empty one counts as not set; lists have commas between the values,
3. the file that ` + "`--config`" + ` or ` + "`PARLEY_CONFIG`" + ` names, else ` + "`parley.yaml`" + ` in the working directory,
4. the defaults.

An unknown key or a bad value stops the start. Every fault is told at once, each with its line.
` + "`parley check-config`" + ` prints the effective configuration, says for each value where it comes from, and exits with status 1 on
faults. No key holds a secret: those live in files.
`

// WriteManual writes docs/config.md: every key with its environment form, default, bounds and meaning.
func WriteManual(w io.Writer) error {
	var b strings.Builder
	b.WriteString(manualHead)
	section := "-"
	for _, f := range fields(&Config{}) {
		s, _, ok := strings.Cut(f.key, ".")
		if !ok {
			s = ""
		}
		if s != section {
			section = s
			title := "Server"
			if s != "" {
				title = "`" + s + "`"
			}
			fmt.Fprintf(&b, "\n## %s\n\n| key | environment | default | meaning |\n|---|---|---|---|\n", title)
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", f.key, f.env(), f.shownDefault(), f.meaning())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f *field) shownDefault() string {
	if def := f.tag.Get("default"); def != "" {
		return "`" + def + "`"
	}
	if strings.Contains(f.tag.Get("doc"), "The default is") {
		return "see right"
	}
	return "none"
}

func (f *field) meaning() string {
	doc := f.tag.Get("doc")
	if least := f.tag.Get("min"); least != "" {
		doc += fmt.Sprintf(" From %s to %s.", least, f.tag.Get("max"))
	}
	if words := f.tag.Get("oneof"); words != "" {
		doc += " One of `" + strings.Join(strings.Fields(words), "`, `") + "`."
	}
	if f.list() {
		doc += " A list."
	}
	return strings.ReplaceAll(doc, "|", "\\|")
}
