// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"
)

// goDiffer are the constants whose value differs in Go only, with the reason.
var goDiffer = map[string]string{
	"CK_TRUE":  "a boolean there",
	"CK_FALSE": "a boolean there",
}

// moduleDir returns where the source of a required module is.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	need(t, "go")
	output(t, "go", "mod", "download", module)
	return strings.TrimSpace(output(t, "go", "list", "-m", "-f", "{{.Dir}}", module))
}

// goConstants returns the constants of a Go file, without the rest of its
// package; extra is source that the file needs.
func goConstants(t *testing.T, path, extra string) map[string]constant.Value {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	more, err := parser.ParseFile(fset, "extra.go", "package pkcs11\n"+extra, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := new(types.Config).Check("pkcs11", fset, []*ast.File{file, more}, nil)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]constant.Value{}
	for _, name := range pkg.Scope().Names() {
		if c, ok := pkg.Scope().Lookup(name).(*types.Const); ok && strings.HasPrefix(name, "CK") {
			values[name] = c.Val()
		}
	}
	return values
}

func TestGoConstants(t *testing.T) {
	theirs := goConstants(t, filepath.Join(moduleDir(t, "github.com/miekg/pkcs11"), "zconst.go"), "")
	ours := goConstants(t, "../../pkcs11/zconst.go", "type Error uint")
	names := common(ours, theirs)
	t.Logf("compared: %d constants of %d here and %d there", len(names), len(ours), len(theirs))
	if len(names) == 0 {
		t.Error("nothing found to compare")
	}
	for _, name := range names {
		same := ours[name].ExactString() == theirs[name].ExactString()
		if expected := goDiffer[name] == "" && miekgDiffer[name] == ""; same != expected {
			t.Errorf("%s: ours %v, theirs %v, expected to be the same: %v", name, ours[name], theirs[name], expected)
		}
	}
	for name := range theirs {
		if _, ok := ours[name]; !ok {
			t.Errorf("%s is missing here", name)
		}
	}
}
