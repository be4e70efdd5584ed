package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// origin says where a value comes from. The zero value is the default.
type origin struct {
	rank int    // 1 file, 2 environment, 3 flag
	name string // the file's, the variable's or the flag's name
	line int    // in the file, from 1; 0 otherwise
}

// String is how faults and check-config name the place: "parley.yaml:7", "PARLEY_DATA", "--data", "default".
func (o origin) String() string {
	switch {
	case o.rank == 0:
		return "default"
	case o.line > 0:
		return fmt.Sprintf("%s:%d", o.name, o.line)
	}
	return o.name
}

// Fault is one thing that is wrong with the configuration.
type Fault struct {
	// Place says where: "parley.yaml:7", an environment variable, a flag.
	Place string
	// Key is the key it is about; empty when the file as a whole cannot be read.
	Key string
	// Words says what is wrong and what to write instead.
	Words string

	from origin
}

// Error is the fault in one line.
func (f *Fault) Error() string {
	if f.Key == "" {
		return f.Place + ": " + f.Words
	}
	return f.Place + ": " + f.Key + ": " + f.Words
}

// Faults is everything that is wrong with the configuration: those of the file by line, then the environment, then the
// flags. It is the error that [Load] returns.
type Faults []*Fault

// Error is the faults, one a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// add appends a fault about key.
func (fs *Faults) add(from origin, key, format string, args ...any) {
	*fs = append(*fs, &Fault{Place: from.String(), Key: key, Words: fmt.Sprintf(format, args...), from: from})
}

// sorted returns the faults in the order in which people read, or a true nil.
func (fs Faults) sorted() error {
	if len(fs) == 0 {
		return nil
	}
	slices.SortStableFunc(fs, func(a, b *Fault) int {
		return cmp.Or(cmp.Compare(a.from.rank, b.from.rank), cmp.Compare(a.from.line, b.from.line))
	})
	return fs
}

// nearest returns the word of known that word is probably a slip of; "" when none is near.
func nearest(word string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if d := distance(word, k, least); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the number of letters to add, drop or change from a to b (Levenshtein); limit when it is at least that.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], limit)
}
