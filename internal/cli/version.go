package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version is set by the build (-ldflags -X).
var Version = "dev"

type versionCommand struct{}

// Run prints one line.
func (versionCommand) Run(w *World) error {
	_, err := fmt.Fprintf(w.Stdout, "parley %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// version is what the build said, else what go install knows.
func version() string {
	if Version != "dev" {
		return Version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Version
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return Version
}
