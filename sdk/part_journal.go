package parley

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

const (
	partSuffix    = ".part"
	journalSuffix = ".part.json"
	// keepParts is how long what arrived of an unfinished transfer is kept.
	keepParts = 7 * 24 * time.Hour
	// maxJournals is how many unfinished transfers one folder is searched for.
	maxJournals = 1000
)

// entry is a line of a journal. The first describes the transfer; the others are added as things happen. A line that a
// crash tore apart is the last one, and counts as not written.
type entry struct {
	// Of the first line.
	Protocol string `json:"protocol,omitempty"`
	ID       string `json:"id,omitempty"`
	Name     string `json:"name,omitempty"`
	List     string `json:"list,omitempty"` // SHA-256 of the paths and sizes
	// Of the others: As is where a file goes; Chunk and Hash a chunk that is stored; Root that all of it is in its place.
	File  *int    `json:"file,omitempty"`
	As    string  `json:"as,omitempty"`
	Chunk *uint32 `json:"chunk,omitempty"`
	Hash  string  `json:"hash,omitempty"`
	Root  string  `json:"root,omitempty"`
}

// stored is what a journal says of one file.
type stored struct {
	as     string
	chunks map[uint32]transfer.Hash
	root   string
}

// listDigest recognises a list of files.
func listDigest(files []transfer.File) string {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s\x00%d\n", f.Path, f.Size) // never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

// journal is the file that says what arrived of a transfer: one JSON object a line.
type journal struct {
	file *os.File
	name string
}

func (j *journal) add(e entry) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(b, '\n'))
	return err
}

// findJournal looks for the journal of transfer id in the folder, and forgets transfers that are too old; "" when there
// is none.
func findJournal(root *os.Root, id string, now time.Time) (string, error) {
	names, err := fs.Glob(root.FS(), "*"+journalSuffix)
	if err != nil {
		return "", err
	}
	for _, name := range names[:min(len(names), maxJournals)] {
		info, err := root.Lstat(name)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		head, entries, err := readJournal(root, name)
		if err != nil {
			continue // something else of that name
		}
		if now.Sub(info.ModTime()) > keepParts {
			for _, e := range entries {
				if e.As != "" {
					_ = root.Remove(e.As + partSuffix) // it is there unless the file was finished
				}
			}
			_ = root.Remove(name)
			continue
		}
		if head.ID == id {
			return name, nil
		}
	}
	return "", nil
}

// readJournal reads a journal as far as it is whole.
func readJournal(root *os.Root, name string) (head entry, entries []entry, err error) {
	file, err := root.Open(name)
	if err != nil {
		return head, nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	lines := bufio.NewReaderSize(file, 64<<10)
	for first := true; ; first = false {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			if first {
				return head, nil, fmt.Errorf("parley: %s is no journal", name)
			}
			return head, entries, nil
		}
		var e entry
		if err == nil {
			err = json.Unmarshal([]byte(line), &e)
		}
		if err == nil && first && (e.Protocol != transfer.Protocol || !validTransferID(e.ID)) {
			err = fmt.Errorf("parley: %s is no journal of %s", name, transfer.Protocol)
		}
		if err != nil {
			return head, entries, err
		}
		if first {
			head = e
		} else {
			entries = append(entries, e)
		}
	}
}

// gather sorts what a journal says by file.
func gather(entries []entry, files []transfer.File) (map[int]*stored, error) {
	out := make(map[int]*stored)
	for _, e := range entries {
		if e.File == nil || *e.File < 0 || *e.File >= len(files) {
			return nil, errors.New("parley: a journal of other files")
		}
		s := out[*e.File]
		switch {
		case e.As != "":
			if !fs.ValidPath(e.As) {
				return nil, fmt.Errorf("parley: a journal with the path %q", e.As)
			}
			out[*e.File] = &stored{as: e.As, chunks: make(map[uint32]transfer.Hash)}
		case s == nil:
			return nil, errors.New("parley: a journal without a beginning")
		case e.Root != "":
			s.root = e.Root
		case e.Chunk != nil && *e.Chunk < files[*e.File].Chunks():
			h, err := transfer.ParseHash(e.Hash)
			if err != nil {
				return nil, err
			}
			s.chunks[*e.Chunk] = h
		}
	}
	return out, nil
}

// journalName is the name beside the first file, or its folder.
func journalName(files []transfer.File) string {
	first, _, _ := strings.Cut(files[0].Path, "/")
	return plain(first, true)
}
