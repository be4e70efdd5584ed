// Parley lets people talk to each other: one program that is the page, the signalling, STUN and TURN.
package main

import (
	"os"

	"github.com/parley-rtc/parley/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.System()))
}
