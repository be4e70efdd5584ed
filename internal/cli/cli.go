// Package cli holds the verbs of the parley command.
package cli
