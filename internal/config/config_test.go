package config

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write what the tests got into the golden files")

// sources reads the case in a txtar archive: the files parley.yaml, env (NAME=value), flags (key=value).
func sources(t *testing.T, a *txtar.Archive) (src Sources, want string) {
	t.Helper()
	env := map[string]string{"HOME": "/home/ada"}
	src = Sources{Flags: map[string]string{}, Env: func(n string) (string, bool) { v, ok := env[n]; return v, ok }}
	pairs := func(b []byte, into map[string]string) {
		for line := range strings.Lines(string(b)) {
			k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			into[k] = v
		}
	}
	for _, f := range a.Files {
		switch f.Name {
		case "parley.yaml":
			if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		case "env":
			pairs(f.Data, env)
		case "flags":
			pairs(f.Data, src.Flags)
		case "want":
			want = string(f.Data)
		default:
			t.Fatalf("unknown file %q in the archive", f.Name)
		}
	}
	return src, want
}

// TestGolden loads each testdata/*.txtar and compares the faults, or the effective configuration, with its file "want".
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range cases {
		full, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(full)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			src, want := sources(t, a)
			got := ""
			if c, err := Load(src); err != nil {
				got = err.Error() + "\n"
			} else {
				var b strings.Builder
				if err := c.WriteYAML(&b); err != nil {
					t.Fatal(err)
				}
				got = b.String()
			}
			if *update {
				a.Files = slices.DeleteFunc(a.Files, func(f txtar.File) bool { return f.Name == "want" })
				a.Files = append(a.Files, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(full, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// Every key has a meaning and a distinct environment form, and the tags themselves are valid.
func TestKeys(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range fields(&Config{}) {
		if f.key == "" || strings.HasSuffix(f.key, ".") || seen[f.env()] {
			t.Errorf("key %q, environment %q: empty or twice", f.key, f.env())
		}
		seen[f.env()] = true
		if !strings.HasSuffix(f.tag.Get("doc"), ".") {
			t.Errorf("%s: the manual is no sentence: %q", f.key, f.tag.Get("doc"))
		}
		if f.value.Kind().String() == "int" && (f.tag.Get("min") == "" || f.tag.Get("max") == "") {
			t.Errorf("%s: a number without bounds", f.key)
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d keys found", len(seen))
	}
}

func TestManualIsCurrent(t *testing.T) {
	var b bytes.Buffer
	if err := WriteManual(&b); err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, b.Bytes()) {
		t.Error("docs/config.md is old: run make gen")
	}
}

func TestNamedFileMustExist(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, src := range map[string]Sources{
		"flag":        {File: "none.yaml"},
		"environment": {Env: func(n string) (string, bool) { return "none.yaml", n == "PARLEY_CONFIG" }},
	} {
		if _, err := Load(src); err == nil || !strings.Contains(err.Error(), "none.yaml") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDefaultData(t *testing.T) {
	for _, tt := range []struct {
		name string
		root bool
		env  map[string]string
		want string
	}{
		{"root", true, map[string]string{"HOME": "/root"}, "/var/lib/parley"},
		{"XDG", false, map[string]string{"HOME": "/home/ada", "XDG_DATA_HOME": "/data"}, "/data/parley"},
		{"relative XDG is to be ignored", false, map[string]string{"HOME": "/home/ada", "XDG_DATA_HOME": "data"}, "/home/ada/.local/share/parley"},
		{"home", false, map[string]string{"HOME": "/home/ada"}, "/home/ada/.local/share/parley"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			c, err := Load(Sources{Root: tt.root, Env: func(n string) (string, bool) { v, ok := tt.env[n]; return v, ok }})
			if err != nil || c.Data != tt.want {
				t.Errorf("got %v, %v", c, err)
			}
		})
	}
}

func TestSlips(t *testing.T) {
	got := Slips([]string{"PARLEY_LISTN=:1", "PARLEY_PORT_8443_TCP=tcp://10.0.0.1:8443", "PARLEY_SERVICE_HOST=10.0.0.1", "PARLEY_DATA=/d", "PARLEY_CONFIG=x", "HOME=/"})
	if len(got) != 1 || !strings.Contains(got[0], "PARLEY_LISTEN?") {
		t.Error(got)
	}
}

// FuzzFile: whatever a file holds, it is either told to be faulty, each fault with a line of the file, or its effective
// configuration is written as a file that means the same.
func FuzzFile(f *testing.F) {
	cases, _ := filepath.Glob("testdata/*.txtar")
	for _, name := range cases {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			f.Add(file.Data)
		}
	}
	load := func(text []byte) (*Loaded, error) {
		c := &Loaded{File: "parley.yaml"}
		var faults Faults
		c.apply(Sources{Root: true, Env: func(string) (string, bool) { return "", false }}, text, &faults)
		return c, faults.sorted()
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := load(text)
		if err != nil {
			lines := bytes.Count(text, []byte("\n")) + bytes.Count(text, []byte("\r")) + bytes.Count(text, []byte("\u0085")) + bytes.Count(text, []byte("\u2028")) + bytes.Count(text, []byte("\u2029")) + 2
			var faults Faults
			if !errors.As(err, &faults) {
				t.Fatalf("%T", err)
			}
			for _, fault := range faults {
				if fault.from.rank == 1 && (fault.from.line < 1 || fault.from.line > lines) {
					t.Errorf("a fault in line %d of %d: %v", fault.from.line, lines, fault)
				}
				if strings.ContainsAny(fault.Error(), "\n\x00\x1b") {
					t.Errorf("a fault is not one line: %q", fault)
				}
			}
			return
		}
		var b bytes.Buffer
		if err := c.WriteYAML(&b); err != nil {
			t.Fatal(err)
		}
		again, err := load(b.Bytes())
		if err != nil {
			t.Fatalf("not readable again: %v\n%s", err, b.Bytes())
		}
		if want, got := values(c), values(again); !maps.Equal(want, got) {
			t.Fatalf("read again it means something else:\n%v\n%v", want, got)
		}
	})
}

func values(c *Loaded) map[string]string {
	out := map[string]string{}
	for _, f := range c.fields {
		out[f.key] = strings.Join(f.words(), "\x00")
	}
	return out
}
