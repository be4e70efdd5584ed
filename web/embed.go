// Package web holds the page that the server gives to browsers, as the build of the app left it in dist. Without a
// build there is only placeholder.html, so that the Go code compiles and runs all the same.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// FS returns the files of the built app: index.html, what stands beside it, and assets/ with hashed names.
func FS() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("web: dist is embedded: " + err.Error())
	}
	return files
}
