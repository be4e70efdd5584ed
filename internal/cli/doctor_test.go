package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/internal/doctor"
)

// diagnose runs parley doctor and returns the findings by check.
func diagnose(t *testing.T, args ...string) (int, map[string]doctor.Finding) {
	t.Helper()
	status, out, errs := command(t, nil, append([]string{"doctor", "--json"}, args...)...)
	var report struct{ Findings []doctor.Finding }
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err, out, errs)
	}
	found := map[string]doctor.Finding{}
	for _, f := range report.Findings {
		found[f.Check] = f
	}
	return status, found
}

// TestDoctor looks at a running server from its own machine and from outside, by every way.
func TestDoctor(t *testing.T) {
	t.Chdir(t.TempDir())
	data := t.TempDir()
	file := filepath.Join(t.TempDir(), "parley.yaml")
	s := serve(t, false, "--listen", "127.0.0.1:0", "--data", data)
	port := strings.TrimSuffix(strings.TrimPrefix(s.out.await(t, `(http://localhost:\d+/)`), "http://localhost:"), "/")
	host := s.out.await(t, `Host link +(\S+)`)

	for name, args := range map[string][]string{
		"plain":       {"http://localhost:" + port},
		"self-signed": {"https://127.0.0.1:" + port},
		"host link":   {host},
	} {
		t.Run(name, func(t *testing.T) {
			status, found := diagnose(t, args...)
			if status != exitOK {
				t.Error("status", status)
			}
			for _, check := range []string{"name", "port", "page", "clock", "signalling", "stun", "direct", "turn-udp", "turn-tcp", "hub"} {
				if found[check].State != doctor.OK {
					t.Errorf("%+v", found[check])
				}
			}
			if f := found["mapping"]; f.State != doctor.OK || !strings.Contains(f.Words, "no NAT") {
				t.Errorf("%+v", f)
			}
			if found["turn-tls"].State != doctor.Warning {
				t.Errorf("%+v", found["turn-tls"])
			}
			if name == "self-signed" && found["certificate"].State != doctor.Warning {
				t.Errorf("%+v", found["certificate"])
			}
		})
	}
	t.Run("in words", func(t *testing.T) {
		status, out, errs := command(t, nil, "doctor", "http://localhost:"+port)
		if status != exitOK || !strings.Contains(out, "✓ turn-udp") || !strings.Contains(out, "→ That needs a certificate") || !strings.HasSuffix(out, "Calls work.\n") {
			t.Error(status, out, errs)
		}
	})
	t.Run("own", func(t *testing.T) {
		if err := os.WriteFile(file, []byte("listen: 127.0.0.1:"+port+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		status, found := diagnose(t, "--data", data, "--config", file)
		if status != exitOK || found["outside"].State != doctor.Skipped || found["turn-tcp"].State != doctor.OK {
			t.Errorf("%d %+v", status, found)
		}
	})
}

// TestDoctorTriesWhatIsMeantToWork skips the calls that the configuration rules out.
func TestDoctorTriesWhatIsMeantToWork(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, tt := range []struct {
		yaml    string
		skipped []string
		words   string
		ok      []string
	}{
		{"rooms: {topology: hub}", []string{"direct", "turn-udp", "turn-tcp"}, "its topology is hub", []string{"hub"}},
		{"rooms: {topology: direct}", []string{"hub"}, "its topology is direct", []string{"direct", "turn-udp"}},
		{"rooms: {seats: 2}", []string{"hub"}, "two seats", []string{"direct", "turn-tcp"}},
		{"hub: {media: off}", []string{"hub"}, "hub.media is off", []string{"direct", "turn-udp"}},
	} {
		t.Run(tt.yaml, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "parley.yaml")
			if err := os.WriteFile(file, []byte(tt.yaml+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			s := serve(t, false, "--config", file, "--listen", "127.0.0.1:0", "--data", t.TempDir())
			status, found := diagnose(t, strings.TrimSuffix(s.out.await(t, `(http://localhost:\d+/)`), "/"))
			if status != exitOK {
				t.Error("status", status)
			}
			for _, check := range tt.skipped {
				if f := found[check]; f.State != doctor.Skipped || !strings.Contains(f.Words, tt.words) {
					t.Errorf("%+v", f)
				}
			}
			for _, check := range tt.ok {
				if found[check].State != doctor.OK {
					t.Errorf("%+v", found[check])
				}
			}
		})
	}
}

func TestDoctorSaysWhatIsWrong(t *testing.T) {
	t.Chdir(t.TempDir())
	status, out, errs := command(t, nil, "doctor", "http://localhost:1")
	if status != exitFailed || !strings.Contains(out, "✗ port") || !strings.Contains(out, "check that parley serve runs") ||
		!strings.Contains(errs, "something does not work") {
		t.Error(status, out, errs)
	}
	for _, bad := range []string{"ftp://example.org", "https://", "https://me:secret@example.org"} {
		status, _, errs := command(t, nil, "doctor", bad)
		if status != exitFailed || strings.Contains(errs, "secret") || !strings.Contains(errs, "https://meet.example.org") {
			t.Errorf("%s: %d %s", bad, status, errs)
		}
	}
}
