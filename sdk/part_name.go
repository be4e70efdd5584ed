package parley

import (
	"fmt"
	"path"
	"runtime"
	"strings"

	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

// numbered makes "name (2).ext" of "name.ext", short enough for the suffixes that parts have.
func numbered(name string, n int) string {
	const longest = 255 - len(journalSuffix) - len(".new")
	ext := path.Ext(name)
	if len(ext) > 20 || ext == name {
		ext = ""
	}
	stem, number := strings.TrimSuffix(name, ext), ""
	if n > 1 {
		number = fmt.Sprintf(" (%d)", n)
	}
	return clip(stem, longest-len(ext)-len(number)) + number + ext
}

// plain makes of one part of a path in an offer, which is somebody else's word, a name that is safe to have on any disk.
// Characters that turn the direction of text go, so that "exe.gpj" cannot read as "jpg.exe", and so do dots and spaces at
// the end, which Windows drops, so that "x." would be "x" there. At the top of the folder nothing is hidden: programs
// read hidden files as settings.
func plain(part string, top bool) string {
	name := strings.Map(func(c rune) rune {
		switch {
		case turns(c):
			return -1
		case runtime.GOOS == "windows" && strings.ContainsRune(`<>"|?*`, c):
			return '_'
		}
		return c
	}, part)
	switch name = strings.TrimRight(name, ". "); {
	case name == "":
		return "file"
	case transfer.CheckPath(name) != nil: // without what was dropped, it is the name of a device
		return "_" + name
	case top && strings.HasPrefix(name, "."):
		return "_" + name
	}
	return name
}

// turns reports whether c changes the direction of text or cannot be seen (Unicode TR 9 and TR 36).
func turns(c rune) bool {
	return c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 || c == 0x200e || c == 0x200f || c == 0x061c
}
