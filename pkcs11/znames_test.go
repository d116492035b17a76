// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"go/ast"
	"go/constant"
	"go/parser"
	gotoken "go/token"
	"go/types"
	"testing"
)

func TestNames(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{errorName(CKR_OK), "CKR_OK"},
		{errorName(CKR_PARAMETER_SET_NOT_SUPPORTED), "CKR_PARAMETER_SET_NOT_SUPPORTED"},
		{errorName(0x04), ""},
		{AttributeName(CKA_CLASS), "CKA_CLASS"},
		{AttributeName(CKA_ECDSA_PARAMS), "CKA_EC_PARAMS"},
		{AttributeName(CKA_SUB_PRIME_BITS), "CKA_SUBPRIME_BITS"},
		{AttributeName(CKA_WRAP_TEMPLATE), "CKA_WRAP_TEMPLATE"},
		{AttributeName(CKA_ZK_SLOT), "CKA_ZK_SLOT"},
		{AttributeName(CK_UNAVAILABLE_INFORMATION), ""},
		{MechanismName(CKM_ECDSA_KEY_PAIR_GEN), "CKM_EC_KEY_PAIR_GEN"},
		{MechanismName(CKM_EDDSA), "CKM_EDDSA"},
		{MechanismName(CKM_ZK_LOCK), "CKM_ZK_LOCK"},
		{MechanismName(CKM_VENDOR_DEFINED + 1), ""},
	} {
		if c.got != c.want {
			t.Errorf("name %q, want %q", c.got, c.want)
		}
	}
}

// TestSortedNames: what is looked for by halves has to be sorted.
func TestSortedNames(t *testing.T) {
	for _, table := range []namedValues{errorNames, attributeNames, mechanismNames} {
		for i, row := range table {
			if i > 0 && row.value <= table[i-1].value {
				t.Errorf("%s comes after %s", row.name, table[i-1].name)
			}
		}
	}
}

// TestEveryConstantHasAName: each CKR_, CKA_ and CKM_ number is known by one of
// its names.
func TestEveryConstantHasAName(t *testing.T) {
	names := map[string]func(uint) string{
		"CKR_": func(n uint) string { return errorName(Error(n)) }, "CKA_": AttributeName, "CKM_": MechanismName,
	}
	all := constants(t)
	if len(all) < 1000 {
		t.Fatalf("found %d constants only", len(all))
	}
	for name, number := range all {
		of := names[name[:4]]
		if of == nil || name == "CKR_VENDOR_DEFINED" || name == "CKA_VENDOR_DEFINED" || name == "CKM_VENDOR_DEFINED" {
			continue
		}
		if got := of(number); got == "" || all[got] != number {
			t.Errorf("%s is called %q", name, got)
		}
	}
}

// constants are the numbers in zconst.go.
func constants(t *testing.T) map[string]uint {
	t.Helper()
	files := gotoken.NewFileSet()
	generated, err := parser.ParseFile(files, "zconst.go", nil, parser.SkipObjectResolution)
	ok(t, err)
	needed, err := parser.ParseFile(files, "", "package pkcs11; type Error uint", parser.SkipObjectResolution)
	ok(t, err)
	pkg, err := (&types.Config{}).Check("pkcs11", files, []*ast.File{generated, needed}, nil)
	ok(t, err)
	all := map[string]uint{}
	for _, name := range pkg.Scope().Names() {
		if c, isConstant := pkg.Scope().Lookup(name).(*types.Const); isConstant {
			if number, exact := constant.Uint64Val(c.Val()); exact {
				all[name] = uint(number)
			}
		}
	}
	return all
}
