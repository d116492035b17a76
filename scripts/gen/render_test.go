// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

// rendered returns the generated files of a header, with single spaces.
func rendered(t *testing.T, text string) (constants, names string) {
	t.Helper()
	h := newHeader()
	if err := h.read(text); err != nil {
		t.Fatal(err)
	}
	files, err := render(h.constants)
	if err != nil {
		t.Fatal(err)
	}
	single := func(b []byte) string { return strings.Join(strings.Fields(string(b)), " ") }
	return single(files["zconst.go"]), single(files["znames.go"])
}

func TestConstantsAreWritten(t *testing.T) {
	constants, _ := rendered(t, `
#define CK_UNAVAILABLE_INFORMATION (~0UL)
#define CK_TRUE 1
#define CKR_OK 0x00000000UL
#define CKK_EC 0x3UL
#define CKK_ECDSA CKK_EC
#define CKA_VENDOR_DEFINED 0x80000000UL
#define CKA_ZK_SLOT (CKA_VENDOR_DEFINED + 0x5A4B01)
`)
	for _, want := range []string{
		"CK_UNAVAILABLE_INFORMATION = ^uint(0)",
		"CK_TRUE = 1",
		"CKR_OK Error = 0x00000000",
		"CKK_EC = 0x00000003",
		"CKK_ECDSA = CKK_EC",
		"CKA_ZK_SLOT = 0x805a4b01",
	} {
		if !strings.Contains(constants, want) {
			t.Errorf("no %q in %s", want, constants)
		}
	}
}

func TestFirstNameOfAValueWins(t *testing.T) {
	_, names := rendered(t, "#define CKM_B 1\n#define CKM_A 0x1UL\n#define CKM_C CKM_B\n#define CKA_A 1\n#define CKR_A 1\n")
	for _, want := range []string{
		`func MechanismName(v uint) string { return mechanismNames.find(uint(v)) } var mechanismNames = namedValues{ {CKM_B, "CKM_B"}, }`,
		`func AttributeName(v uint) string { return attributeNames.find(uint(v)) } var attributeNames = namedValues{ {CKA_A, "CKA_A"}, }`,
		`func errorName(v Error) string { return errorNames.find(uint(v)) } var errorNames = namedValues{ {uint(CKR_A), "CKR_A"}, }`,
	} {
		if !strings.Contains(names, want) {
			t.Errorf("no %q in %s", want, names)
		}
	}
}

func TestNamesAreSorted(t *testing.T) {
	_, names := rendered(t, "#define CKM_B 3\n#define CKM_A 1\n#define CKM_C 0x80000000UL\n#define CKM_D 2\n")
	const want = `{ {CKM_A, "CKM_A"}, {CKM_D, "CKM_D"}, {CKM_B, "CKM_B"}, {CKM_C, "CKM_C"}, }`
	if !strings.Contains(names, want) {
		t.Errorf("no %q in %s", want, names)
	}
}

func TestUnknownGroup(t *testing.T) {
	h := newHeader()
	if err := h.read("#define CKX_NEW 1"); err != nil {
		t.Fatal(err)
	}
	if _, err := render(h.constants); err == nil || !strings.Contains(err.Error(), "CKX_NEW") {
		t.Errorf("error %v", err)
	}
}
