package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/parley-rtc/parley/internal/auth"
	"github.com/parley-rtc/parley/internal/signal"
)

// room is the room whose links are printed at start.
type room struct {
	name string
	made time.Time // of its host secret
}

// renewBefore is how long before its end a printed host link is replaced by a new one, at the next start.
const renewBefore = 7 * 24 * time.Hour

// openFirstRoom reads the first room, so that a restart prints the same links, and makes it at the first start. A file
// that cannot be read is replaced: it holds nothing that is worth a refusal to start.
func openFirstRoom(dir string, now time.Time, random io.Reader) (room, error) {
	path := filepath.Join(dir, firstRoomFile)
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return room{}, fmt.Errorf("server: read the first room: %w", err)
	}
	r, ok := parseRoom(string(b))
	if ok && !r.made.After(now) && now.Before(r.made.Add(auth.HostLifetime-renewBefore)) {
		return r, nil
	}
	if !ok {
		if r.name, err = newName(random); err != nil {
			return room{}, err
		}
	}
	r.made = now.Truncate(time.Second)
	if err := replace(path, fmt.Appendf(nil, "%s %d\n", r.name, r.made.Unix())); err != nil {
		return room{}, fmt.Errorf("server: keep the first room: %w", err)
	}
	return r, nil
}

// parseRoom reads "name seconds\n".
func parseRoom(line string) (room, bool) {
	name, stamp, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || !signal.ValidRoom(name) {
		return room{}, false
	}
	return room{name: name, made: time.Unix(seconds, 0)}, true
}

// Words for names that are easy to say on the telephone, to spell and to remember; none can be taken amiss.
const (
	adjectives = "able amber bold brave bright brisk calm clear clever cosy crisp eager early easy fair fancy fast fine " +
		"fond fresh gentle glad golden grand green happy honest jolly kind light lively lucky merry mellow mild neat " +
		"nimble noble plain polite proud quick quiet rapid ready red rosy round sharp shiny silent silver simple smart " +
		"smooth snug soft steady sunny swift tidy warm wise witty"
	nouns = "acorn anchor apple badger beacon beaver birch bridge brook canyon castle cedar cherry cloud comet coral " +
		"cricket daisy dolphin eagle falcon feather finch forest garden harbor heron hill island ivy jasmine kettle " +
		"lagoon lantern lark laurel lemon lily maple meadow melon moon ocean orchid otter owl panda pebble pepper pine " +
		"planet plum poppy rabbit raven river robin rocket sparrow spruce star stone thistle tiger tulip valley willow"
)

// newName makes a room name such as quiet-otter-427.
func newName(random io.Reader) (string, error) {
	var b [6]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("server: make a room name: %w", err)
	}
	pick := func(words string, high, low byte) string {
		list := strings.Fields(words)
		return list[(int(high)<<8|int(low))%len(list)]
	}
	number := 100 + (int(b[4])<<8|int(b[5]))%900
	return fmt.Sprintf("%s-%s-%d", pick(adjectives, b[0], b[1]), pick(nouns, b[2], b[3]), number), nil
}
