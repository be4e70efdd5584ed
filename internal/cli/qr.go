package cli

import (
	"fmt"
	"io"

	"rsc.io/qr"
)

// quiet is the light border around a code, in modules. The standard asks for 4; every reader tried takes 2.
const quiet = 2

// printQR draws text as a QR code, two rows of modules in a line of half blocks. The colours are set, since readers do
// not all take a light code on dark.
func printQR(w io.Writer, text, indent string) error {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return fmt.Errorf("cli: draw the QR code: %w", err)
	}
	black := func(x, y int) bool { return code.Black(x-quiet, y-quiet) } // false outside the code
	size := code.Size + 2*quiet
	for y := 0; y < size; y += 2 {
		line := make([]rune, 0, size)
		for x := range size {
			line = append(line, [...]rune{' ', '▄', '▀', '█'}[bit(black(x, y))<<1|bit(black(x, y+1))])
		}
		if _, err := fmt.Fprintf(w, "%s\x1b[30;107m%s\x1b[0m\n", indent, string(line)); err != nil {
			return err
		}
	}
	return nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
