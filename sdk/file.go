package parley

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parley-rtc/parley/sdk/internal/transfer"
)

// File is one file of a transfer.
type File struct {
	// Path is relative and has slashes.
	Path string
	// Size is in bytes.
	Size int64
	// Modified is when it last changed, to a millisecond; zero if unknown.
	Modified time.Time
	// Media is the media type, such as image/png, "" if unknown.
	Media string
}

func fileOf(f transfer.File) File {
	file := File{Path: f.Path, Size: f.Size, Media: f.Media}
	if f.Modified != 0 {
		file.Modified = time.UnixMilli(f.Modified)
	}
	return file
}

func filesOf(list []transfer.File) []File {
	files := make([]File, len(list))
	for i, f := range list {
		files[i] = fileOf(f)
	}
	return files
}

// Files are what a transfer sends: a list that is made once, with the sizes and times of that moment. The same Files may
// be sent to many people at once. Nothing is kept open.
type Files struct {
	name  string
	list  []transfer.File
	from  []source
	paths map[string]int // of list, with the last number that was given
}

// source is where a file is read.
type source struct {
	system fs.FS
	name   string
}

// ErrChanged is returned when a file is not any more what it was when it was listed.
var ErrChanged = errors.New("parley: a file changed while it was sent")

// OpenFiles lists the files at these paths of the operating system. Of a folder it takes everything that is in it, except
// what is neither file nor folder, such as symbolic links.
func OpenFiles(paths ...string) (*Files, error) {
	f := &Files{}
	for _, p := range paths {
		p, err := filepath.Abs(p)
		if err != nil {
			return nil, fmt.Errorf("parley: %w", err)
		}
		if err := f.add(os.DirFS(filepath.Dir(p)), filepath.Base(p)); err != nil {
			return nil, err
		}
	}
	return f.checked()
}

// FilesIn lists a file or a folder of system, as OpenFiles does; "." is all of it. Its files must be io.ReaderAt, as
// those of os.DirFS and embed.FS are.
func FilesIn(system fs.FS, name string) (*Files, error) {
	f := &Files{}
	if err := f.add(system, name); err != nil {
		return nil, err
	}
	return f.checked()
}

// add lists what is at name. The paths that are told begin with its last part.
func (f *Files) add(system fs.FS, name string) error {
	before := path.Dir(name) + "/"
	if before == "./" {
		before = ""
	}
	// Stat, and not what WalkDir sees: a path that a person gave may be a symbolic link.
	info, err := fs.Stat(system, name)
	if err == nil && info.Mode().IsRegular() {
		return f.one(system, name, strings.TrimPrefix(name, before), info)
	}
	if err == nil && !info.IsDir() {
		return fmt.Errorf("parley: %s is neither a file nor a folder", name)
	}
	if err == nil {
		var inside fs.FS
		if inside, err = fs.Sub(system, name); err == nil {
			err = f.folder(inside, strings.TrimPrefix(name, before))
		}
	}
	if err != nil {
		return fmt.Errorf("parley: %w", err)
	}
	return nil
}

// folder lists everything in system, to be told below name.
func (f *Files) folder(system fs.FS, name string) error {
	return fs.WalkDir(system, ".", func(at string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return f.one(system, at, path.Join(name, at), info)
	})
}

func (f *Files) one(system fs.FS, name, told string, info fs.FileInfo) error {
	if len(f.list) == transfer.MaxFiles {
		return fmt.Errorf("parley: more than %d files: send an archive of them", transfer.MaxFiles)
	}
	told = f.unique(told)
	media := mime.TypeByExtension(path.Ext(told))
	f.list = append(f.list, transfer.File{Path: told, Size: info.Size(), Modified: info.ModTime().UnixMilli(), Media: media})
	f.from = append(f.from, source{system, name})
	return nil
}

// unique numbers a path that is in the list already: files of one name from several folders.
func (f *Files) unique(told string) string {
	if f.paths == nil {
		f.paths = make(map[string]int)
	}
	folder, base := path.Split(told)
	free, n := told, max(1, f.paths[told])
	for f.paths[free] > 0 {
		n++
		free = folder + numbered(base, n)
	}
	f.paths[told] = n
	f.paths[free] = max(1, f.paths[free])
	return free
}

// checked gives the list a name and sees to it that a receiver can take it.
func (f *Files) checked() (*Files, error) {
	if len(f.list) == 0 {
		return nil, errors.New("parley: there is no file to send")
	}
	f.name, _, _ = strings.Cut(f.list[0].Path, "/")
	others := 0
	for _, one := range f.list {
		if first, _, _ := strings.Cut(one.Path, "/"); first != f.name {
			others++
		}
	}
	if others > 0 {
		end := fmt.Sprintf(" and %d more", others)
		f.name = clip(f.name, 255-len(end)) + end
	}
	if _, err := transfer.NewSender(f.offer()); err != nil {
		return nil, fmt.Errorf("parley: %w", err)
	}
	return f, nil
}

// clip cuts s to at most n bytes without cutting a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func (f *Files) offer() transfer.Offer { return transfer.Offer{Name: f.name, Files: f.list} }

// Name says in a few words what they are.
func (f *Files) Name() string { return f.name }

// List is what will be told of them.
func (f *Files) List() []File { return filesOf(f.list) }

// Total is the size of all of them in bytes.
func (f *Files) Total() int64 { return f.offer().Total() }

// open opens a file that is still what was listed.
func (f *Files) open(i int) (io.ReaderAt, io.Closer, error) {
	file, err := f.from[i].system.Open(f.from[i].name)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && (info.Size() != f.list[i].Size || info.ModTime().UnixMilli() != f.list[i].Modified) {
		err = fmt.Errorf("%w: %s", ErrChanged, f.list[i].Path)
	}
	at, ok := file.(io.ReaderAt)
	if err == nil && !ok {
		err = fmt.Errorf("parley: %s cannot be read at any place", f.list[i].Path)
	}
	if err != nil {
		_ = file.Close() // nothing was written
		return nil, nil, err
	}
	return at, file, nil
}
