// Configdoc writes docs/config.md from the tags of internal/config; make gen runs it.
package main

import (
	"bytes"
	"flag"
	"log"
	"os"

	"github.com/parley-rtc/parley/internal/config"
)

func main() {
	out := flag.String("o", "docs/config.md", "file to write")
	flag.Parse()
	var b bytes.Buffer
	if err := config.WriteManual(&b); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, b.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
