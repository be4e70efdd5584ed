// Package arch is a test only. It reads the floor table out of ARCHITECTURE.md and the imports of every Go file, and
// fails when the house and its picture differ: an import upwards or sideways, input or output below the shells, a
// third-party type outside its door, a package without a doc comment.
package arch
