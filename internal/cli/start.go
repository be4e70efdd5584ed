package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/parley-rtc/parley/internal/server"
)

// printStart says in words what was started: where to go, what is open, what is not, and what to mind.
func printStart(w io.Writer, i server.Info, configFile string, withQR bool) error {
	var b bytes.Buffer
	row := func(label, format string, args ...any) {
		fmt.Fprintf(&b, "  %-12s%s\n", label, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&b, "Parley %s is running.\n\n", i.Version)
	label := "Page"
	if i.Local != "" {
		row(label, "%-40s (on this machine)", i.Local+"/")
		label = ""
	}
	for _, base := range i.Bases {
		if base != i.Local {
			row(label, "%s/", base)
			label = ""
		}
	}
	row("First room", "%s", i.Room)
	row("Host link", "%s", i.Links.Host)
	row("Guest link", "%s", i.Links.Guest)
	fmt.Fprintf(&b, "\n")
	if withQR {
		if err := printQR(&b, i.Links.Guest, "  "); err != nil {
			return err
		}
		fmt.Fprintf(&b, "\n")
	}
	row("Open", "TCP %d: the page, signalling, and TURN for networks without UDP", i.Listen.Port())
	row("", "UDP %d: STUN and TURN", i.Listen.Port())
	if i.RelayPorts.Off() {
		row("Not open", "relay ports: only TURN peers that are not Parley's need them (relay.ports)")
	} else {
		row("", "UDP %d to %d: relayed addresses", i.RelayPorts.First, i.RelayPorts.Last)
	}
	row("Rooms", "%s", i.WhoMakesRooms)
	row("Address", "%s (from %s)", i.AddressWords(), i.AddressesFrom)
	row("Data", "%s", i.Data)
	if configFile != "" {
		row("Settings", "%s", configFile)
	}
	if len(i.Warnings) > 0 {
		fmt.Fprintf(&b, "\n  Mind\n")
		for _, words := range i.Warnings {
			fmt.Fprintf(&b, "  - %s\n", wrap(words, 100, "    "))
		}
	}
	fmt.Fprintf(&b, "\n  Ctrl-C ends it.\n")
	_, err := w.Write(b.Bytes())
	return err
}

// wrap breaks text into lines of at most width, the second and later ones indented.
func wrap(text string, width int, indent string) string {
	var b strings.Builder
	n := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case n+1+len(word) > width:
			b.WriteString("\n" + indent)
			n = 0
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += len(word)
	}
	return b.String()
}
