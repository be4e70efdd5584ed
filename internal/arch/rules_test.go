package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

const module = "github.com/parley-rtc/parley"

// source is one Go file.
type source struct {
	path    string // from the root of the module, with slashes
	file    *ast.File
	set     *token.FileSet
	lines   int
	imports map[string]string // import path to the name it has in the file
}

func parse(name string, text []byte) (*source, error) {
	s := &source{path: name, set: token.NewFileSet(), imports: map[string]string{}, lines: strings.Count(string(text), "\n")}
	var err error
	if s.file, err = parser.ParseFile(s.set, name, text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
		return nil, err
	}
	for _, spec := range s.file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		s.imports[p] = path.Base(p)
		if spec.Name != nil {
			s.imports[p] = spec.Name.Name
		}
	}
	return s, nil
}

func (s *source) folder() string { return path.Dir(s.path) }

func (s *source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

// room is the name by which the table knows the file's package: "turn" for internal/turn, "web" for web; "" for code
// that stands beside the house (sdk, cmd, test, bench, tools).
func (s *source) room() string { return room(s.folder()) }

func room(folder string) string {
	if name, ok := strings.CutPrefix(folder, "internal/"); ok {
		return name
	}
	if folder == "web" {
		return "web"
	}
	return ""
}

// beside reports whether the file belongs to tests and tools around the house, which may use everything.
func (s *source) beside() bool {
	top, _, _ := strings.Cut(s.path, "/")
	return s.test() || top == "test" || top == "bench" || top == "tools"
}

// ioFree is the highest floor that does no input or output.
const ioFree = 2

// sealed are the standard packages that stay out of the floors up to ioFree, with their trees where a slash ends them.
var sealed = []string{"os", "os/", "net", "net/http", "net/http/", "net/rpc/", "net/smtp", "net/textproto", "net/mail", "syscall", "log", "log/", "math/rand", "math/rand/v2", "crypto/rand", "io/ioutil", "os/exec", "testing", "runtime/", "unsafe"}

// clocks are the functions of package time that look at a clock or wait.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

// door is a third-party module, and the folders that may name it, with what is below them.
type door struct {
	module  string
	folders []string
}

// doors keep third-party types in one place each, so that what stands behind one can be replaced.
var doors = []door{
	{"github.com/pion/webrtc", []string{"sdk"}},
	{"github.com/pion/dtls", []string{"internal/dtlsserver", "sdk"}},
	{"github.com/pion/sctp", []string{"internal/dtlsserver"}},
	{"github.com/pion/datachannel", []string{"internal/dtlsserver"}},
	{"github.com/pion/sdp", []string{"internal/sdp", "sdk"}},
	{"github.com/pion/ice", []string{"sdk"}},
	{"github.com/pion/interceptor", []string{"sdk"}},
	{"github.com/pion/rtp", []string{"sdk"}},
	{"github.com/pion/rtcp", []string{"sdk"}},
	{"github.com/pion/turn", []string{"internal/doctor"}},
	{"github.com/pion/stun", []string{"internal/turn", "internal/turnserver", "internal/doctor", "sdk"}},
	{"github.com/coder/websocket", []string{"internal/signalserver", "sdk"}},
	{"github.com/nats-io", []string{"internal/store"}},
	{"github.com/caddyserver/certmagic", []string{"internal/certificate"}},
	{"github.com/mholt/acmez", []string{"internal/certificate"}},
	{"go.uber.org/zap", []string{"internal/certificate"}},
	{"github.com/alecthomas/kong", []string{"internal/cli"}},
	{"go.yaml.in/yaml", []string{"internal/config"}},
	{"rsc.io/qr", []string{"internal/cli"}},
	{"github.com/schollz/progressbar", []string{"internal/cli"}},
	{"github.com/letsencrypt/pebble", nil},
	{"github.com/pion/srtp", nil},
}

// check returns what is wrong with one file, a sentence each.
func check(s *source, table map[string]place) []string {
	var out []string
	complain := func(format string, args ...any) {
		out = append(out, s.path+": "+fmt.Sprintf(format, args...))
	}
	own, known := table[s.room()]
	if s.room() != "" && s.room() != "arch" && !known {
		complain("package %s has no place in the floor table of ARCHITECTURE.md", s.room())
		return out
	}
	for _, imported := range sortedKeys(s.imports) {
		if strings.HasPrefix(imported, module+"/") {
			if words := s.mayImport(strings.TrimPrefix(imported, module+"/"), table); words != "" {
				complain("%s", words)
			}
			continue
		}
		if words := s.mayUse(imported); words != "" {
			complain("%s", words)
		}
		if s.engine(own, known) && isSealed(imported) {
			complain("%s does no input or output, but imports %s", s.stands(own), imported)
		}
	}
	if s.sleeps() && !s.virtual() {
		complain("sleeps outside of a synctest bubble; wait for the event, with a deadline")
	}
	if s.engine(own, known) {
		for _, call := range s.clockCalls() {
			complain("%s takes time as an argument, but calls %s", s.stands(own), call)
		}
	}
	return out
}

// engine reports whether the file does no input or output: on the lower floors, and in the SDK's own engines.
func (s *source) engine(own place, known bool) bool {
	return !s.test() && (known && own.floor <= ioFree || within(s.folder(), "sdk/internal"))
}

// stands says where the file stands.
func (s *source) stands(own place) string {
	if within(s.folder(), "sdk/internal") {
		return "an engine of the SDK"
	}
	return fmt.Sprintf("floor %d", own.floor)
}

// sleeps reports whether the file calls time.Sleep.
func (s *source) sleeps() bool {
	name, imported := s.imports["time"]
	found := false
	ast.Inspect(s.file, func(n ast.Node) bool {
		if call, ok := n.(*ast.SelectorExpr); ok && imported && call.Sel.Name == "Sleep" {
			x, ok := call.X.(*ast.Ident)
			found = found || ok && x.Name == name
		}
		return !found
	})
	return found
}

// virtual reports whether the file is a test in virtual time (testing/synctest).
func (s *source) virtual() bool {
	_, ok := s.imports["testing/synctest"]
	return ok && s.test()
}

// mayImport says why the file must not import a folder of this module; "" when it may.
func (s *source) mayImport(folder string, table map[string]place) string {
	if s.beside() {
		return ""
	}
	top, _, _ := strings.Cut(folder, "/")
	switch {
	case top == "test" || top == "bench" || top == "tools" || folder == "internal/arch":
		return fmt.Sprintf("imports %s, which is for tests and tools", folder)
	case strings.HasPrefix(s.path, "cmd/"):
		if folder != "internal/cli" {
			return fmt.Sprintf("imports %s; a command imports internal/cli only", folder)
		}
		return ""
	case strings.HasPrefix(s.path, "examples/"):
		if folder != "sdk" && folder != "sdk/media" {
			return fmt.Sprintf("imports %s; an example imports what everybody may, the SDK", folder)
		}
		return ""
	case strings.HasPrefix(s.path, "sdk/"):
		if folder != "internal/signal" && !strings.HasPrefix(folder, "sdk/") {
			return fmt.Sprintf("imports %s; the SDK imports internal/signal only", folder)
		}
		return ""
	case within(folder, "sdk"):
		if s.room() != "cli" {
			return fmt.Sprintf("imports %s, which only cli and tests import", folder)
		}
		return ""
	}
	own, other := table[s.room()], table[room(folder)]
	if _, ok := table[room(folder)]; !ok {
		return fmt.Sprintf("imports %s, which has no place in the floor table", folder)
	}
	if !other.below(own) {
		return fmt.Sprintf("imports %s, which is not on a lower floor", folder)
	}
	return ""
}

// mayUse says why the file must not import a package of a third party; "" when it may.
func (s *source) mayUse(imported string) string {
	if s.beside() {
		return ""
	}
	for _, d := range doors {
		if within(imported, d.module) && !slices.ContainsFunc(d.folders, func(f string) bool { return within(s.folder(), f) }) {
			return fmt.Sprintf("imports %s, whose door is %s", imported, doorWords(d.folders))
		}
	}
	return ""
}

// within reports whether path is tree or below it.
func within(path, tree string) bool { return path == tree || strings.HasPrefix(path, tree+"/") }

func doorWords(folders []string) string {
	if len(folders) == 0 {
		return "open to tests only"
	}
	return strings.Join(folders, " and ")
}

func isSealed(imported string) bool {
	for _, p := range sealed {
		if imported == p || strings.HasSuffix(p, "/") && strings.HasPrefix(imported, p) {
			return true
		}
	}
	return false
}

// clockCalls lists the uses of a clock with their places.
func (s *source) clockCalls() []string {
	name, ok := s.imports["time"]
	if !ok {
		return nil
	}
	var out []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == name && slices.Contains(clocks, sel.Sel.Name) {
				out = append(out, fmt.Sprintf("time.%s in line %d", sel.Sel.Name, s.set.Position(sel.Pos()).Line))
			}
		}
		return true
	})
	return out
}

// undocumented lists the folders without a package comment, and misplaced the packages of the table that do not exist.
func undocumented(all []*source) []string {
	docs := map[string]bool{}
	for _, s := range all {
		if s.test() {
			continue
		}
		docs[s.folder()] = docs[s.folder()] || s.file.Doc != nil && len(strings.TrimSpace(s.file.Doc.Text())) > 20
	}
	var out []string
	for _, folder := range sortedKeys(docs) {
		if !docs[folder] {
			out = append(out, folder+": the package has no doc comment")
		}
	}
	return out
}

// unbuilt lists the rooms of the table in which nothing stands.
func unbuilt(all []*source, table map[string]place) []string {
	built := map[string]bool{}
	for _, s := range all {
		if !s.test() {
			built[s.room()] = true
		}
	}
	var out []string
	for _, name := range sortedKeys(table) {
		if !built[name] {
			out = append(out, "ARCHITECTURE.md lists "+name+", but there is no such package")
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
