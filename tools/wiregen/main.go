// Command wiregen writes the TypeScript form of internal/signal to sdk/js/src/wire.gen.ts. Shapes come from reflection
// over signal.Registry, words and constants from the Go source, so that the two languages cannot drift apart.
//
// Run it from anywhere inside the module: go run ./tools/wiregen, or go generate ./internal/signal.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Paths inside the module.
const (
	sourceDir  = "internal/signal"
	outputFile = "sdk/js/src/wire.gen.ts"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "wiregen:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	text, err := generate(filepath.Join(root, sourceDir))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, outputFile), text, 0o644)
}

// moduleRoot returns the nearest directory at or above the current one that holds go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod here or above")
		}
		dir = parent
	}
}
