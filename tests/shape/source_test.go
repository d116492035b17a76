// SPDX-License-Identifier: Apache-2.0

// Package shape guards the design: which package may import which, where C and
// unsafe may stand, how long a function and a file may be, how many closures and short
// names there are, that what is exported is documented, and that no function of PKCS#11 is forgotten.
package shape

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// project is the path of the module in front of every package's own.
const project = "libzk_pkcs11/"

// pkg is what the go command says of a package.
type pkg struct {
	ImportPath, Dir, Name              string
	GoFiles, CgoFiles                  []string
	TestGoFiles, XTestGoFiles          []string
	Imports, TestImports, XTestImports []string
}

// path is the import path within the project.
func (p *pkg) path() string { return strings.TrimPrefix(p.ImportPath, project) }

// under reports whether the package is in a folder.
func (p *pkg) under(folder string) bool { return strings.HasPrefix(p.path()+"/", folder+"/") }

// packages lists the packages of the project.
func packages(t *testing.T) []pkg {
	t.Helper()
	list := exec.Command("go", "list", "-json", "./...")
	list.Dir, list.Stderr = harness.Root(t), os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("%d packages only", len(all))
	}
	return all
}

// source is a Go file that somebody wrote by hand.
type source struct {
	*pkg
	name   string // path within the project
	test   bool
	syntax *ast.File
	files  *token.FileSet
}

// line is the line of a position.
func (s *source) line(p token.Pos) int { return s.files.Position(p).Line }

// lines is how many lines the file has.
func (s *source) lines() int { return s.files.File(s.syntax.FileStart).LineCount() }

// sources parses the files of all packages, generated ones apart.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, p := range packages(t) {
		for i, names := range [][]string{p.GoFiles, p.CgoFiles, p.TestGoFiles, p.XTestGoFiles} {
			for _, name := range names {
				s := source{pkg: &p, name: filepath.Join(p.path(), name), test: i >= 2, files: token.NewFileSet()}
				var err error
				s.syntax, err = parser.ParseFile(s.files, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
				if err != nil {
					t.Fatal(err)
				}
				if !ast.IsGenerated(s.syntax) {
					all = append(all, s)
				}
			}
		}
	}
	return all
}
