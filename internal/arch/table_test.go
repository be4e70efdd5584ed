package arch

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// place is where a package stands: a package may import those that stand lower. Packages of one floor are neighbours and
// have the same place, unless the table puts arrows between them.
type place struct{ floor, step int }

func (p place) below(q place) bool {
	return p.floor < q.floor || p.floor == q.floor && p.step < q.step
}

var (
	tableRow  = regexp.MustCompile(`^\| *([0-9]+) [^|]*\|([^|]*)\|`)
	tableName = regexp.MustCompile("`([a-z0-9]+)`")
)

// readTable reads the rows "| 4 shells | `a` `b` | … |" of ARCHITECTURE.md; "`a` ← `b`" lets b import a.
func readTable(markdown string) (map[string]place, error) {
	table := map[string]place{}
	head := false
	for n, line := range strings.Split(markdown, "\n") {
		if strings.HasPrefix(line, "| floor | packages |") {
			head = true
			continue
		}
		m := tableRow.FindStringSubmatch(line)
		if !head || m == nil {
			if head && !strings.HasPrefix(line, "|") {
				head = false
			}
			continue
		}
		floor, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		arrows := strings.Contains(m[2], "←")
		for i, name := range tableName.FindAllStringSubmatch(m[2], -1) {
			if _, twice := table[name[1]]; twice {
				return nil, fmt.Errorf("line %d: %s stands in the table twice", n+1, name[1])
			}
			p := place{floor: floor}
			if arrows {
				p.step = i
			}
			table[name[1]] = p
		}
	}
	if len(table) == 0 {
		return nil, fmt.Errorf("no floor table is in it")
	}
	return table, nil
}
