package arch

import (
	"strings"
	"testing"
)

const picture = "# A\n\n| floor | packages | they are |\n|---|---|---|\n" +
	"| 0 words | `signal` `web` | words |\n| 1 engines | `turn` | engines |\n| 3 domain | `room` `auth` | rules |\n" +
	"| 4 shells | `turnserver` `certificate` `signalserver` | sockets |\n| 5 house | `config` ← `server` ← `cli` | house |\n\n`other` | `text` |\n| 9 no | `table` |\n"

func TestTable(t *testing.T) {
	table, err := readTable(picture)
	if err != nil {
		t.Fatal(err)
	}
	if len(table) != 11 || table["cli"] != (place{5, 2}) || table["auth"] != (place{3, 0}) {
		t.Error(table)
	}
	for _, bad := range []string{"", "no table", strings.Replace(picture, "`room`", "`turn`", 1)} {
		if _, err := readTable(bad); err == nil {
			t.Errorf("accepted:\n%s", bad)
		}
	}
}

// Each rule fails on a source that breaks it, and lets its like through that does not.
func TestRules(t *testing.T) {
	table, err := readTable(picture)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path, text string
		want             string // part of the complaint; "" means none
	}{
		{"down", "internal/room/a.go", `import "github.com/parley-rtc/parley/internal/signal"`, ""},
		{"up", "internal/turn/a.go", `import "github.com/parley-rtc/parley/internal/room"`, "internal/room, which is not on a lower floor"},
		{"sideways", "internal/room/a.go", `import "github.com/parley-rtc/parley/internal/auth"`, "not on a lower floor"},
		{"with the arrow", "internal/cli/a.go", `import "github.com/parley-rtc/parley/internal/config"`, ""},
		{"against the arrow", "internal/config/a.go", `import "github.com/parley-rtc/parley/internal/server"`, "not on a lower floor"},
		{"web is a floor too", "internal/signal/a.go", `import "github.com/parley-rtc/parley/web"`, "not on a lower floor"},
		{"a test may look up", "internal/turn/a_test.go", `import "github.com/parley-rtc/parley/internal/room"`, ""},
		{"not in the table", "internal/thing/a.go", ``, "no place in the floor table"},
		{"imports what is not in the table", "internal/cli/a.go", `import "github.com/parley-rtc/parley/internal/thing"`, "no place in the floor table"},
		{"os on floor 1", "internal/turn/a.go", `import "os"`, "imports os"},
		{"a part of os on floor 0", "internal/signal/a.go", `import "os/signal"`, "imports os/signal"},
		{"sockets on floor 1", "internal/turn/a.go", `import "net"`, "imports net"},
		{"addresses on floor 1", "internal/turn/a.go", `import "net/netip"`, ""},
		{"logs on floor 1", "internal/turn/a.go", `import "log/slog"`, "imports log/slog"},
		{"chance on floor 1", "internal/turn/a.go", `import "crypto/rand"`, "imports crypto/rand"},
		{"pseudo-chance on floor 1", "internal/turn/a.go", `import "math/rand/v2"`, "imports math/rand/v2"},
		{"os in an engine of the SDK", "sdk/internal/transfer/a.go", `import "os"`, "imports os"},
		{"the clock in an engine of the SDK", "sdk/internal/pace/a.go", "import \"time\"\nvar a = time.Now()", "calls time.Now"},
		{"os in the SDK", "sdk/a.go", `import "os"`, ""},
		{"os on floor 4", "internal/certificate/a.go", `import "os"`, ""},
		{"the clock on floor 1", "internal/turn/a.go", "import \"time\"\nvar a = time.Now()", "calls time.Now in line 3"},
		{"the clock under another name", "internal/turn/a.go", "import clock \"time\"\nvar a = clock.Since", "calls time.Since"},
		{"a timer on floor 0", "internal/signal/a.go", "import \"time\"\nfunc a() { <-time.After(1) }", "calls time.After"},
		{"durations on floor 1", "internal/turn/a.go", "import \"time\"\nconst a = time.Second", ""},
		{"the clock on floor 4", "internal/certificate/a.go", "import \"time\"\nvar a = time.Now()", ""},
		{"the clock in a test", "internal/turn/a_test.go", "import \"time\"\nvar a = time.Now()", ""},
		{"a foreign door", "internal/certificate/a.go", `import "github.com/alecthomas/kong"`, "whose door is internal/cli"},
		{"its own door", "internal/certificate/a.go", `import "github.com/caddyserver/certmagic"`, ""},
		{"a version of it", "internal/room/a.go", `import "github.com/pion/webrtc/v4/pkg/media"`, "whose door is sdk"},
		{"below its door", "sdk/media/a.go", `import "github.com/pion/webrtc/v4/pkg/media"`, ""},
		{"beside its door", "internal/turnserverx/a.go", `import "github.com/pion/stun/v4"`, "no place"},
		{"a module whose name only begins alike", "internal/cli/a.go", `import "github.com/alecthomas/kong-yaml"`, ""},
		{"a door open to tests only", "internal/certificate/a.go", `import "github.com/letsencrypt/pebble/v2/ca"`, "tests only"},
		{"a real sleep", "sdk/a_test.go", "import \"time\"\nfunc f() { time.Sleep(1) }", "sleeps outside"},
		{"a virtual sleep", "sdk/a_test.go", "import (\"time\"; \"testing/synctest\")\nvar _ = synctest.Wait\nfunc f() { time.Sleep(1) }", ""},
		{"tests have all doors", "internal/certificate/a_test.go", `import "github.com/letsencrypt/pebble/v2/ca"`, ""},
		{"test folders too", "test/acme/a.go", `import "github.com/letsencrypt/pebble/v2/ca"`, ""},
		{"the sdk and signal", "sdk/a.go", `import "github.com/parley-rtc/parley/internal/signal"`, ""},
		{"the sdk and more", "sdk/a.go", `import "github.com/parley-rtc/parley/internal/auth"`, "the SDK imports internal/signal only"},
		{"an example and the sdk", "examples/bot/a.go", `import "github.com/parley-rtc/parley/sdk"`, ""},
		{"an example and more", "examples/bot/a.go", `import "github.com/parley-rtc/parley/internal/signal"`, "an example imports what everybody may"},
		{"cli and the sdk", "internal/cli/a.go", `import "github.com/parley-rtc/parley/sdk"`, ""},
		{"cli and a part of the sdk", "internal/cli/a.go", `import "github.com/parley-rtc/parley/sdk/media"`, ""},
		{"others and a part of the sdk", "internal/server/a.go", `import "github.com/parley-rtc/parley/sdk/media"`, "only cli and tests import"},
		{"others and the sdk", "internal/server/a.go", `import "github.com/parley-rtc/parley/sdk"`, "only cli and tests import"},
		{"a command and cli", "cmd/parley/a.go", `import "github.com/parley-rtc/parley/internal/cli"`, ""},
		{"a command and more", "cmd/parley/a.go", `import "github.com/parley-rtc/parley/internal/server"`, "internal/cli only"},
		{"the house and test code", "internal/server/a.go", `import "github.com/parley-rtc/parley/test/acme"`, "for tests and tools"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := parse(tt.path, []byte("package a\n"+tt.text+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(check(s, table), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDocsAndRooms(t *testing.T) {
	var all []*source
	for path, text := range map[string]string{
		"internal/turn/a.go":      "// Package turn is documented well enough.\npackage turn",
		"internal/turn/b.go":      "package turn",
		"internal/room/a.go":      "package room",
		"internal/room/a_test.go": "// Package room is documented in a test only.\npackage room",
	} {
		s, err := parse(path, []byte(text+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if got := undocumented(all); len(got) != 1 || !strings.HasPrefix(got[0], "internal/room:") {
		t.Error(got)
	}
	if got := unbuilt(all, map[string]place{"turn": {}, "ghost": {}}); len(got) != 1 || !strings.Contains(got[0], "ghost") {
		t.Error(got)
	}
}
