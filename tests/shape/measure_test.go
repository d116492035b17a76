// SPDX-License-Identifier: Apache-2.0

package shape

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Limits of the whole tree. None of them is ever raised. Those with an aim are lowered to it when the tree gets there.
const (
	mostClosures       = 8.0 // in 1,000 lines
	mostNested         = 0   // closures in closures
	mostShortNames     = 8.0 // % of functions whose unexported name has five letters or fewer
	mostBoolParameters = 15
	medianLength       = 9 // of functions in lines, rows of tables apart
	percentile95Length = 21
	longestLength      = 56
)

// measures is what is counted in the code of a room, which is a package, or of the tree.
type measures struct {
	lines, functions, closures, nested, shortNames, boolParameters int
	lengths                                                        []int
}

// TestMeasures prints what a newcomer meets, and fails when it grows: `go test ./tests/shape -run Measures -v`.
func TestMeasures(t *testing.T) {
	rooms := measureRooms(t)
	var tree measures
	for _, m := range rooms {
		tree.add(m)
	}
	t.Log(table(rooms, tree))
	for _, limit := range []struct {
		what       string
		value, max float64
	}{
		{"closures in 1,000 lines", tree.closureRate(), mostClosures},
		{"closures in closures", float64(tree.nested), mostNested},
		{"% short names", tree.shortRate(), mostShortNames},
		{"bool parameters", float64(tree.boolParameters), mostBoolParameters},
		{"lines in the median of functions", float64(tree.lengthAt(50)), medianLength},
		{"lines in the 95th percentile of functions", float64(tree.lengthAt(95)), percentile95Length},
		{"lines in the longest function", float64(tree.lengthAt(100)), longestLength},
	} {
		if limit.value > limit.max {
			t.Errorf("%.1f %s, more than %v", limit.value, limit.what, limit.max)
		}
	}
}

// measureRooms measures what is not tests, nor a help for them, room by room.
func measureRooms(t *testing.T) map[string]measures {
	t.Helper()
	rooms := map[string]measures{}
	for _, s := range sources(t) {
		if s.test || s.under("tests") || strings.HasSuffix(s.path(), "test") {
			continue
		}
		m := rooms[s.path()]
		m.add(s.measure())
		rooms[s.path()] = m
	}
	return rooms
}

func table(rooms map[string]measures, tree measures) string {
	var b strings.Builder
	const row = "%-28s %6v %9v %9v %7v %9v %6v %6v %5v %8v\n"
	fmt.Fprintf(&b, "\n"+row, "room", "lines", "functions", "closures", "nested", "in 1,000", "short", "bools", "p50", "p95/most")
	for _, room := range slices.Sorted(maps.Keys(rooms)) {
		m := rooms[room]
		b.WriteString(m.row(row, room))
	}
	b.WriteString(tree.row(row, "the tree"))
	return b.String()
}

func (m *measures) row(format, name string) string {
	return fmt.Sprintf(format, name, m.lines, m.functions, m.closures, m.nested, fmt.Sprintf("%.1f", m.closureRate()),
		fmt.Sprintf("%.0f %%", m.shortRate()), m.boolParameters, m.lengthAt(50), fmt.Sprintf("%d/%d", m.lengthAt(95), m.lengthAt(100)))
}

func (m *measures) add(n measures) {
	m.lines += n.lines
	m.functions += n.functions
	m.closures += n.closures
	m.nested += n.nested
	m.shortNames += n.shortNames
	m.boolParameters += n.boolParameters
	m.lengths = append(m.lengths, n.lengths...)
}

func (m *measures) closureRate() float64 { return 1000 * float64(m.closures) / float64(m.lines) }

func (m *measures) shortRate() float64 {
	return 100 * float64(m.shortNames) / float64(max(1, m.functions))
}

// lengthAt is the length that so many percent of the functions do not exceed.
func (m *measures) lengthAt(percent int) int {
	if len(m.lengths) == 0 {
		return 0
	}
	slices.Sort(m.lengths)
	return m.lengths[(len(m.lengths)-1)*percent/100]
}

// measure measures a file.
func (s *source) measure() measures {
	m := measures{lines: s.lines()}
	var closures []*ast.FuncLit
	ast.Inspect(s.syntax, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncLit:
			closures = append(closures, node)
		case *ast.FuncDecl:
			m.addFunction(node, s.line(node.End())-s.line(node.Pos())+1-s.tables(node))
		}
		return true
	})
	m.closures = len(closures)
	for _, c := range closures {
		if slices.ContainsFunc(closures, func(d *ast.FuncLit) bool { return d.Pos() < c.Pos() && c.End() <= d.End() }) {
			m.nested++
		}
	}
	return m
}

func (m *measures) addFunction(f *ast.FuncDecl, length int) {
	m.functions++
	m.lengths = append(m.lengths, length)
	if name := f.Name.Name; !ast.IsExported(name) && len(name) <= 5 && name != "main" && name != "init" {
		m.shortNames++
	}
	for _, p := range f.Type.Params.List {
		if id, is := p.Type.(*ast.Ident); is && id.Name == "bool" {
			m.boolParameters += max(1, len(p.Names))
		}
	}
}
