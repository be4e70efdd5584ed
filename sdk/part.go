package parley

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

// maxClash is how many names are tried for a file whose own is taken.
const maxClash = 1000

// parts is what arrived of a transfer, in the folder that its person chose: each file as FILE.part until it is whole,
// and one journal beside them. Nothing outside of the folder is touched, whatever the names are and wherever symbolic
// links in it lead; nothing that is there is overwritten.
//
// What was written survives the process without being forced to the disk. A crash of the machine may lose some of it;
// so what the journal says is held against the data before it is believed. A whole file is on the disk before it gets
// its name.
type parts struct {
	root    *os.Root
	dir     string
	journal journal
	files   []transfer.File
	known   map[int]*stored
	folders map[string]string // where a folder of the offer went
	open    *os.File
	which   int // the file that open is
}

// openParts begins, or goes on with, transfer id of files in dir, which must exist. fresh is true when nothing of it
// was there.
func openParts(dir, id, name string, files []transfer.File, now time.Time) (p *parts, fresh bool, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, false, fmt.Errorf("parley: %w", err)
	}
	p = &parts{root: root, dir: dir, files: files, known: make(map[int]*stored), folders: make(map[string]string)}
	found, err := findJournal(root, id, now)
	if err == nil && found != "" {
		if err = p.goOn(found); err == nil {
			return p, false, nil
		}
	}
	if err == nil {
		err = p.begin(entry{Protocol: transfer.Protocol, ID: id, Name: name, List: listDigest(files)})
	}
	if err != nil {
		p.close()
		return nil, false, fmt.Errorf("parley: cannot keep files in %s: %w", dir, err)
	}
	return p, true, nil
}

// partsKnown reports whether something of transfer id is in dir.
func partsKnown(dir, id string, now time.Time) bool {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return false
	}
	defer func() { _ = root.Close() }() // it was only read
	found, err := findJournal(root, id, now)
	return err == nil && found != ""
}

func (p *parts) begin(head entry) error {
	name, err := p.free(journalName(p.files), func(candidate string) error {
		if _, err := p.root.Lstat(candidate); err == nil {
			return fs.ErrExist // its part has this journal's name beside it
		}
		file, err := p.root.OpenFile(candidate+journalSuffix, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			p.journal.file = file
		}
		return err
	})
	if err != nil {
		return err
	}
	p.journal.name = name + journalSuffix
	return p.journal.add(head)
}

// goOn reads the journal and believes what the data bears out.
func (p *parts) goOn(name string) error {
	head, entries, err := readJournal(p.root, name)
	if err != nil {
		return err
	}
	if head.List != listDigest(p.files) {
		return fmt.Errorf("%w: %s has a part of other files", ErrChanged, name)
	}
	if p.known, err = gather(entries, p.files); err != nil {
		return err
	}
	for i, s := range p.known {
		if !p.bears(i, s) {
			delete(p.known, i)
		}
	}
	// Written anew, without a line that was torn apart and what is not true any more, then put in the old one's place.
	fresh := name + ".new"
	file, err := p.root.OpenFile(fresh, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	p.journal = journal{file: file, name: name}
	err = p.journal.add(head)
	for i, s := range p.known {
		err = errors.Join(err, p.journal.add(entry{File: &i, As: s.as}))
		for c, h := range s.chunks {
			err = errors.Join(err, p.journal.add(entry{File: &i, Chunk: &c, Hash: h.String()}))
		}
		if s.root != "" {
			err = errors.Join(err, p.journal.add(entry{File: &i, Root: s.root}))
		}
	}
	return errors.Join(err, p.root.Rename(fresh, name))
}

// bears holds what the journal says of a file against the data, and drops the chunks that differ. It is false when there
// is nothing to go on with.
func (p *parts) bears(i int, s *stored) bool {
	f := p.files[i]
	if s.root != "" { // in its place, unless somebody changed it since
		info, err := p.root.Lstat(s.as)
		return err == nil && info.Mode().IsRegular() && info.Size() == f.Size && (f.Modified == 0 || info.ModTime().UnixMilli() == f.Modified) &&
			len(s.chunks) == int(f.Chunks())
	}
	file, err := p.root.OpenFile(s.as+partSuffix, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // it was only read
	buffer := make([]byte, transfer.ChunkSize)
	for c, want := range s.chunks {
		b := buffer[:f.ChunkLength(c)]
		if _, err := file.ReadAt(b, int64(c)*transfer.ChunkSize); err != nil || sha256.Sum256(b) != want {
			delete(s.chunks, c)
		}
	}
	return true
}

// free finds the first of name, "name (2)", … that make takes; make answers fs.ErrExist when it is taken.
func (p *parts) free(name string, make func(string) error) (string, error) {
	folder, base := path.Split(name)
	for n := 1; n <= maxClash; n++ {
		candidate := folder + numbered(base, n)
		err := make(candidate)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return candidate, err
		}
	}
	return "", fmt.Errorf("%q and %d names like it are taken", name, maxClash)
}

// folder makes the folders of a path and returns where they are: elsewhere, when a file has the name of one.
func (p *parts) folder(name string) (string, error) {
	if name == "." {
		return "", nil
	}
	if at, ok := p.folders[name]; ok {
		return at, nil
	}
	above, err := p.folder(path.Dir(name))
	if err != nil {
		return "", err
	}
	base := plain(path.Base(name), above == "")
	at, err := p.free(above+base, func(candidate string) error {
		err := p.root.Mkdir(candidate, 0o777) // less the umask, as any program's
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		if info, err := p.root.Stat(candidate); err != nil || !info.IsDir() {
			return fs.ErrExist
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	p.folders[name] = at + "/"
	return at + "/", nil
}

// part opens the part of file i.
func (p *parts) part(i int) (*os.File, error) {
	if p.open != nil && p.which == i {
		return p.open, nil
	}
	if err := p.shut(); err != nil {
		return nil, err
	}
	var file *os.File
	if s := p.known[i]; s != nil {
		var err error
		if file, err = p.root.OpenFile(s.as+partSuffix, os.O_RDWR, 0); err != nil {
			return nil, err
		}
	} else {
		folder, err := p.folder(path.Dir(p.files[i].Path))
		if err != nil {
			return nil, err
		}
		base := plain(path.Base(p.files[i].Path), folder == "")
		as, err := p.free(folder+base, func(candidate string) error {
			if _, err := p.root.Lstat(candidate); err == nil {
				return fs.ErrExist
			}
			file, err = p.root.OpenFile(candidate+partSuffix, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666) // less the umask
			return err
		})
		if err == nil {
			p.known[i] = &stored{as: as, chunks: make(map[uint32]transfer.Hash)}
			err = p.journal.add(entry{File: &i, As: as})
		}
		if err != nil {
			return nil, err
		}
	}
	p.open, p.which = file, i
	return file, nil
}

func (p *parts) shut() (err error) {
	if p.open != nil {
		err = p.open.Close()
		p.open = nil
	}
	return err
}

func (p *parts) write(i int, at int64, data []byte) error {
	file, err := p.part(i)
	if err == nil {
		_, err = file.WriteAt(data, at)
	}
	return err
}

// store remembers a chunk that was written.
func (p *parts) store(i int, chunk uint32, h transfer.Hash) error {
	p.known[i].chunks[chunk] = h
	return p.journal.add(entry{File: &i, Chunk: &chunk, Hash: h.String()})
}

// finish gives a whole file its name and returns it.
func (p *parts) finish(i int, root transfer.Hash) (string, error) {
	if s := p.known[i]; s != nil && s.root != "" {
		return filepath.Join(p.dir, filepath.FromSlash(s.as)), nil
	}
	file, err := p.part(i)
	if err != nil {
		return "", err
	}
	s := p.known[i]
	err = errors.Join(file.Truncate(p.files[i].Size), file.Sync(), p.shut())
	if err != nil {
		return "", err
	}
	if m := p.files[i].Modified; m != 0 {
		t := time.UnixMilli(m)
		_ = p.root.Chtimes(s.as+partSuffix, t, t) // a file system without such times keeps the file all the same
	}
	part := s.as + partSuffix
	as, err := p.free(s.as, func(candidate string) error { return p.name(part, candidate) })
	if err != nil {
		return "", err
	}
	s.as, s.root = as, root.String()
	// The journal only saves work here: the file is in its place.
	err = errors.Join(p.journal.add(entry{File: &i, As: as}), p.again(i), p.journal.add(entry{File: &i, Root: s.root}))
	return filepath.Join(p.dir, filepath.FromSlash(as)), err
}

// again writes down the chunks of a file whose place changed, since the line about a place begins anew.
func (p *parts) again(i int) (err error) {
	for c, h := range p.known[i].chunks {
		err = errors.Join(err, p.journal.add(entry{File: &i, Chunk: &c, Hash: h.String()}))
	}
	return err
}

// name gives a part its name, unless something has it.
func (p *parts) name(part, as string) error {
	err := p.root.Link(part, as)
	if err == nil {
		return p.root.Remove(part)
	}
	if errors.Is(err, fs.ErrExist) {
		// A crash may have come between the two steps above.
		mine, err1 := p.root.Lstat(part)
		there, err2 := p.root.Lstat(as)
		if err1 == nil && err2 == nil && os.SameFile(mine, there) {
			return p.root.Remove(part)
		}
		return fs.ErrExist
	}
	// A file system without hard links: hold the name, then replace what holds it.
	holder, err := p.root.OpenFile(as, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	return errors.Join(holder.Close(), p.root.Rename(part, as))
}

// close lets go and keeps everything.
func (p *parts) close() {
	_ = p.shut() // what was written is there already
	if p.journal.file != nil {
		_ = p.journal.file.Close() // as well
	}
	_ = p.root.Close()
}

// remove forgets the transfer: all of it arrived, or nobody wants it. Whole files stay.
func (p *parts) remove() {
	_ = p.shut()
	for _, s := range p.known {
		if s.root == "" {
			_ = p.root.Remove(s.as + partSuffix) // it may never have come to be
		}
	}
	if p.journal.name != "" {
		_ = p.root.Remove(p.journal.name)
	}
	p.close()
}
