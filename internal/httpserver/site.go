package httpserver

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Cache policies: hashed names never change, everything else is asked for again and answered with 304.
const (
	cacheForever = "public, max-age=31536000, immutable"
	cacheAsk     = "no-cache"
)

// site is the page with everything beside it, in memory.
type site struct {
	files   map[string]*asset // by URL path
	index   *asset
	missing *asset // 404, in words
}

// brotli is what the build appends to the names of files that hold the Brotli form (RFC 7932) of others.
const brotli = ".br"

// asset is one file, its Brotli form if the build made one, and its gzip form once somebody asked for it.
type asset struct {
	status int // 0 means 200
	body   []byte
	kind   string // Content-Type
	etag   string // without quotes
	cache  string
	brotli []byte // nil when there is none

	once sync.Once
	gzip []byte // nil when it does not pay
}

// readSite reads all of files. index.html, or placeholder.html in its stead, is the page.
func readSite(files fs.FS) (*site, error) {
	s := &site{files: map[string]*asset{}}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		a := newAsset(name, body)
		if strings.HasPrefix(name, "assets/") {
			a.cache = cacheForever
		}
		s.files["/"+name] = a
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("httpserver: read the page: %w", err)
	}
	for name, a := range s.files {
		if whole := s.files[strings.TrimSuffix(name, brotli)]; whole != nil && whole != a {
			whole.brotli = a.body
			delete(s.files, name)
		}
	}
	s.index = s.files["/index.html"]
	if s.index == nil {
		if s.index = s.files["/placeholder.html"]; s.index == nil {
			return nil, errors.New("httpserver: the page has no index.html")
		}
		s.index.status = http.StatusServiceUnavailable // a monitor should see that this is not the real thing
	}
	delete(s.files, "/index.html")
	delete(s.files, "/placeholder.html")
	s.missing = newAsset("missing.html", []byte(missingPage))
	s.missing.status = http.StatusNotFound
	return s, nil
}

func newAsset(name string, body []byte) *asset {
	sum := sha256.Sum256(body)
	return &asset{body: body, kind: contentType(name), etag: hex.EncodeToString(sum[:12]), cache: cacheAsk}
}

// contentType does not ask the operating system, whose answers differ.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".html", ".css", ".js":
		kind, _, _ := mime.ParseMediaType(mime.TypeByExtension(ext))
		return kind + "; charset=utf-8"
	case ".mjs":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".webmanifest":
		return "application/manifest+json"
	case ".json", ".map":
		return "application/json"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".woff2":
		return "font/woff2"
	case ".wasm":
		return "application/wasm"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

// serve answers with the file, compressed when the client can read that, or with 304.
func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", a.cache)
	h.Add("Vary", "Accept-Encoding")
	body, etag := a.body, a.etag
	accepted := r.Header.Get("Accept-Encoding")
	if z := a.brotli; z != nil && accepts(accepted, "br") {
		body, etag = z, a.etag+"-br"
		h.Set("Content-Encoding", "br")
	} else if accepts(accepted, "gzip") {
		if z := a.compressed(); z != nil {
			body, etag = z, a.etag+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
	}
	if a.status != 0 {
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(a.status)
		if r.Method != http.MethodHead {
			_, _ = w.Write(body) // a client that is gone needs no answer
		}
		return
	}
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// compressed makes the gzip form at the first request, so that the start does not wait for it.
func (a *asset) compressed() []byte {
	a.once.Do(func() {
		if !strings.HasPrefix(a.kind, "text/") && !strings.Contains(a.kind, "json") && !strings.Contains(a.kind, "svg") && !strings.Contains(a.kind, "wasm") {
			return
		}
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			panic("httpserver: the level exists: " + err.Error())
		}
		if _, err := z.Write(a.body); err != nil || z.Close() != nil || b.Len() >= len(a.body)*9/10 {
			return
		}
		a.gzip = b.Bytes()
	})
	return a.gzip
}

// accepts reads Accept-Encoding (RFC 9110 §12.5.3). What is named counts before "*".
func accepts(header, wanted string) (yes bool) {
	for item := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(item, ";")
		if coding = strings.TrimSpace(coding); coding != wanted && coding != "*" {
			continue
		}
		weight = strings.TrimPrefix(strings.TrimSpace(weight), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		yes = weight == "" || (err == nil && q > 0)
		if coding == wanted {
			return yes
		}
	}
	return yes
}

// missingPage needs no style of its own: browsers show it in the colours that the person likes.
const missingPage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Nothing here – Parley</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
  </head>
  <body>
    <main>
      <h1>There is nothing here</h1>
      <p>The address may have a slip in it. A room's address ends in /r/ and the room's name: lower-case letters, digits,
      '-' and '_', at most 64.</p>
      <p><a href="/">Start a new call</a></p>
    </main>
  </body>
</html>
`
