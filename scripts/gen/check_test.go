// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"testing"
)

// The generated files need nothing of their package but the type Error.
func TestGeneratedFilesCompile(t *testing.T) {
	files, err := generate("../../include")
	if err != nil {
		t.Fatal(err)
	}
	for arch, allOnes := range map[string]uint64{"amd64": 1<<64 - 1, "arm64": 1<<64 - 1, "arm": 1<<32 - 1} {
		pkg := check(t, arch, files)
		for name, want := range map[string]uint64{
			"CK_UNAVAILABLE_INFORMATION": allOnes,
			"CKR_VENDOR_DEFINED":         0x80000000,
			"CKA_ZK_SLOT":                0x805a4b01,
			"CKA_WRAP_TEMPLATE":          0x40000211,
			"CKK_ECDSA":                  3,
		} {
			c, ok := pkg.Scope().Lookup(name).(*types.Const)
			if !ok {
				t.Errorf("%s: no constant %s", arch, name)
				continue
			}
			if got, _ := constant.Uint64Val(c.Val()); got != want {
				t.Errorf("%s: %s = %#x, want %#x", arch, name, got, want)
			}
		}
	}
}

// check compiles the files as far as their types, for an architecture.
func check(t *testing.T, arch string, files map[string][]byte) *types.Package {
	t.Helper()
	fset := token.NewFileSet()
	sources := map[string]string{"error.go": "package pkcs11\n\ntype Error uint\n"}
	for name, text := range files {
		sources[name] = string(text)
	}
	var parsed []*ast.File
	for name, text := range sources {
		file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
	}
	config := types.Config{Sizes: types.SizesFor("gc", arch)}
	pkg, err := config.Check("pkcs11", fset, parsed, nil)
	if err != nil {
		t.Fatalf("%s: %v", arch, err)
	}
	return pkg
}
