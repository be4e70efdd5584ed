package transfer

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxParts = 32
	maxPart  = 255
)

// CheckPath says what is wrong with the path of a file in an offer. Paths are relative, with slashes, and mean the same
// everywhere: no part is empty, "." or "..", has control characters, a backslash or a colon, or is the name of a device
// on some system.
func CheckPath(path string) error {
	parts := strings.Split(path, "/")
	if len(parts) > maxParts {
		return fmt.Errorf("transfer: a path of %d parts, at most %d are allowed", len(parts), maxParts)
	}
	for _, part := range parts {
		if err := checkPart(part); err != nil {
			return fmt.Errorf("transfer: path %.200q: %w", path, err)
		}
	}
	return nil
}

func checkPart(part string) error {
	switch {
	case part == "" || part == "." || part == "..":
		return fmt.Errorf("%.200q is not the name of a file", part)
	case len(part) > maxPart:
		return fmt.Errorf("a name of %d bytes, at most %d are allowed", len(part), maxPart)
	case !utf8.ValidString(part):
		return fmt.Errorf("%.200q is not UTF-8", part)
	case strings.ContainsAny(part, `\:`) || strings.ContainsFunc(part, unicode.IsControl):
		return fmt.Errorf("%.200q has characters that file names must not have", part)
	case device(part):
		return fmt.Errorf("%q is the name of a device on some systems", part)
	}
	return nil
}

// device reports whether Windows takes name for a device, whatever its extension.
func device(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	digit, numbered := strings.CutPrefix(stem, "COM")
	if !numbered {
		digit, numbered = strings.CutPrefix(stem, "LPT")
	}
	return numbered && (len(digit) == 1 && digit >= "0" && digit <= "9" || digit == "¹" || digit == "²" || digit == "³")
}

// check says what is wrong with an offer.
func (o Offer) check() error {
	if len(o.Files) == 0 || len(o.Files) > MaxFiles {
		return fmt.Errorf("transfer: an offer of %d files: between 1 and %d are allowed", len(o.Files), MaxFiles)
	}
	if len(o.Name) > maxPart || !utf8.ValidString(o.Name) || strings.ContainsFunc(o.Name, unicode.IsControl) {
		return fmt.Errorf("transfer: the name of the offer is too long or has characters that names must not have")
	}
	files, folders, total := make(map[string]bool, len(o.Files)), make(map[string]bool), int64(0)
	for _, f := range o.Files {
		if err := CheckPath(f.Path); err != nil {
			return err
		}
		if f.Size < 0 || f.Size > MaxTotal-total || f.Size > int64(1<<32-1)*ChunkSize {
			return fmt.Errorf("transfer: %.200q: a size of %d bytes does not fit", f.Path, f.Size)
		}
		if len(f.Media) > maxPart {
			return fmt.Errorf("transfer: %.200q: a media type of %d bytes", f.Path, len(f.Media))
		}
		total += f.Size
		if files[f.Path] || folders[f.Path] {
			return fmt.Errorf("transfer: %.200q is in the offer twice", f.Path)
		}
		files[f.Path] = true
		for at, c := range f.Path {
			if c != '/' {
				continue
			}
			if files[f.Path[:at]] {
				return fmt.Errorf("transfer: %.200q is a file and a folder", f.Path[:at])
			}
			folders[f.Path[:at]] = true
		}
	}
	return nil
}
