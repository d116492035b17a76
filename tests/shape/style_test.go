// SPDX-License-Identifier: Apache-2.0

package shape

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// What a reader can take in at once, in lines.
const (
	longestFunction = 80
	longestFile     = 450
	longestExport   = 10 // of module/: what is longer has to do with more than the boundary
)

func TestFileLength(t *testing.T) {
	for _, s := range sources(t) {
		if n := s.lines(); n > longestFile {
			t.Errorf("%s has %d lines, more than %d: it holds more than one idea", s.name, n, longestFile)
		}
	}
}

func TestFunctionLength(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.syntax.Decls {
			if f, is := d.(*ast.FuncDecl); is {
				if n := s.line(f.End()) - s.line(f.Pos()) + 1 - s.tables(f); n > longestFunction {
					t.Errorf("%s: %s has %d lines, more than %d", s.name, f.Name.Name, n, longestFunction)
				}
			}
		}
	}
}

// TestExportLength: the functions that C calls convert and pass on. Those that are
// excepted begin and end what the others work with.
func TestExportLength(t *testing.T) {
	excepted := []string{"goInitialize", "goFinalize"}
	seen := 0
	for _, s := range sources(t) {
		if s.path() != "module" {
			continue
		}
		for _, d := range s.syntax.Decls {
			f, is := d.(*ast.FuncDecl)
			if !is || !exportedToC(f) {
				continue
			}
			seen++
			n := s.line(f.End()) - s.line(f.Pos()) + 1
			if n > longestExport && !slices.Contains(excepted, f.Name.Name) {
				t.Errorf("%s: %s has %d lines, more than %d", s.name, f.Name.Name, n, longestExport)
			}
		}
	}
	if seen == 0 {
		t.Error("no exports found")
	}
}

func exportedToC(f *ast.FuncDecl) bool {
	return f.Doc != nil && slices.ContainsFunc(f.Doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//export ")
	})
}

// tables is how many lines of a function are rows of tables.
func (s *source) tables(f *ast.FuncDecl) int {
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		table, is := node.(*ast.CompositeLit)
		if is {
			n += s.line(table.End()) - s.line(table.Pos())
		}
		return !is
	})
	return n
}

// TestDocumented: what is exported has a comment that starts with its name, or
// is part of a group that has one.
func TestDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.Name == "main" {
			continue
		}
		for _, d := range s.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) && !startsWith(d.Doc, d.Name.Name) {
					t.Errorf("%s:%d: %s has no doc comment", s.name, s.line(d.Pos()), d.Name.Name)
				}
			case *ast.GenDecl:
				s.checkGroup(t, d)
			}
		}
	}
}

// exportedReceiver reports whether a function is one, or a method that a user of
// the package can call.
func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	name := ""
	ast.Inspect(f.Recv.List[0].Type, func(node ast.Node) bool {
		if id, is := node.(*ast.Ident); is && name == "" {
			name = id.Name
		}
		return name == ""
	})
	return ast.IsExported(name)
}

func startsWith(doc *ast.CommentGroup, name string) bool {
	words := strings.Fields(doc.Text())
	return len(words) > 1 && slices.Contains(words[:2], name) // A Name, The Name, Name
}

// checkGroup checks a declaration of types, constants or variables.
func (s *source) checkGroup(t *testing.T, d *ast.GenDecl) {
	if d.Tok == token.IMPORT {
		return
	}
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil {
				t.Errorf("%s:%d: %s has no doc comment", s.name, s.line(spec.Pos()), spec.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				if name.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
					t.Errorf("%s:%d: %s has no doc comment", s.name, s.line(name.Pos()), name.Name)
				}
			}
		}
	}
}

// library reports whether the package runs inside somebody else's program.
func (s *source) library() bool {
	return !s.test && s.Name != "main" && (s.under("pkcs11") || s.under("internal")) &&
		!slices.Contains(testOnly, s.path())
}

// TestGuestInTheHost: a library does not end the program around it, writes
// nothing to its standard output, and does nothing when it is loaded.
func TestGuestInTheHost(t *testing.T) {
	rude := []string{"os.Exit", "fmt.Print", "fmt.Println", "fmt.Printf", "os.Stdout", "signal.Notify", "debug.SetGCPercent"}
	for _, s := range sources(t) {
		if !s.library() {
			continue
		}
		ast.Inspect(s.syntax, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.ImportSpec:
				if node.Path.Value == `"log"` {
					t.Errorf("%s imports log", s.name)
				}
			case *ast.FuncDecl:
				if node.Recv == nil && node.Name.Name == "init" {
					t.Errorf("%s:%d: init runs when the library is loaded", s.name, s.line(node.Pos()))
				}
			case *ast.SelectorExpr:
				if x, is := node.X.(*ast.Ident); is && slices.Contains(rude, x.Name+"."+node.Sel.Name) {
					t.Errorf("%s:%d: %s.%s", s.name, s.line(node.Pos()), x.Name, node.Sel.Name)
				}
			}
			return true
		})
	}
}

// TestLicence: every file names its licence.
func TestLicence(t *testing.T) {
	for _, s := range sources(t) {
		if len(s.syntax.Comments) == 0 || s.syntax.Comments[0].List[0].Text != "// SPDX-License-Identifier: Apache-2.0" {
			t.Errorf("%s does not begin with its licence", s.name)
		}
	}
}
