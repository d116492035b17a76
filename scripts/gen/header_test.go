// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

func TestDefineForms(t *testing.T) {
	const before = "#define CKF_ONE 0x40000000UL\n"
	for _, c := range []struct{ name, line, value, alias string }{
		{"hexadecimal", "#define CKA_X 0x0000010aUL", "266", ""},
		{"decimal", "#define CKA_X 12UL", "12", ""},
		{"no suffix", "#define CKA_X 0x80000000", "2147483648", ""},
		{"suffix in small letters", "#define CKA_X 7ul", "7", ""},
		{"suffix of a long", "#define CKA_X 7L", "7", ""},
		{"parentheses", "#define CKA_X (0x1UL)", "1", ""},
		{"alias", "#define CKA_X CKF_ONE", "1073741824", "CKF_ONE"},
		{"sum", "#define CKA_X (CKF_ONE + 0x5A4B01)", "1079659265", ""},
		{"bits", "#define CKA_X (CKF_ONE|0x00000211UL)", "1073742353", ""},
		{"shift", "#define CKA_X (1UL << 31)", "2147483648", ""},
		{"complement", "#define CKA_X (~0UL)", "-1", ""},
		{"tabs and spaces", " #\tdefine  CKA_X\t\t3UL  ", "3", ""},
		{"comment behind", "#define CKA_X 3UL /* 4 */", "3", ""},
		{"line comment behind", "#define CKA_X 3UL // 4", "3", ""},
		{"comment between", "#define CKA_X /* of two\nlines */ 3UL", "3", ""},
		{"continued", "#define CKA_X \\\n\t3UL", "3", ""},
		{"hexadecimal that ends like a suffix", "#define CKA_X 0x1fUL", "31", ""},
	} {
		h := newHeader()
		if err := h.read(before + c.line); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(h.constants) != 2 {
			t.Errorf("%s: constants %v", c.name, h.constants)
			continue
		}
		got := h.constants[1]
		if got.name != "CKA_X" || got.value.ExactString() != c.value || got.alias != c.alias {
			t.Errorf("%s: %s = %s, alias %q; want %s, %q", c.name, got.name, got.value, got.alias, c.value, c.alias)
		}
	}
}

func TestWhatIsNoConstant(t *testing.T) {
	for _, text := range []string{
		"#define CK_FUNCTIONS(F) F(X, (int))",
		"#define CK_FUNCTIONS(F) \\\n\tF(X, (CK_ULONG x)) \\\n\tF(Y, (CK_ULONG y))",
		"#define ZK_PKCS11_H 1",
		"#define NULL_PTR NULL",
		"#define CK_EMPTY",
		"/* #define CKA_X 1 */",
		"// #define CKA_X 1",
		"/*\n#define CKA_X 1\n*/",
		"#undef CK_MEMBER",
		"typedef unsigned long CK_ULONG;",
	} {
		h := newHeader()
		if err := h.read(text); err != nil || len(h.constants) != 0 {
			t.Errorf("%q: %v, error %v", text, h.constants, err)
		}
	}
}

func TestBadDefines(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"#define CKA_X *", "1: CKA_X: not a constant"},
		{"\n\n#define CKA_X CKA_Y", "3: CKA_X: CKA_Y is not defined before"},
		{"#define CKA_X 1\n#define CKA_X 2", "2: CKA_X: defined twice"},
		{"/*\n*/ #define CKA_X \\\n 1\n#define CKA_Y 1.5", "4: CKA_Y: 1.5 is not an integer"},
		{"#define CKA_X (-1)", "1: CKA_X: only ~0UL"},
		{"#define CKA_X (CKA_Y + 1)", "1: CKA_X: CKA_Y is not defined before"},
		{"#define CKA_X (1 + CKA_Y)", "1: CKA_X: CKA_Y is not defined before"},
		{"#define CKA_X (~CKA_Y)", "1: CKA_X: CKA_Y is not defined before"},
		{"#define CKA_X (2 * 3)", "1: CKA_X: operator *"},
		{"#define CKA_X sizeof(int)", "1: CKA_X: an expression of kind *ast.CallExpr"},
	} {
		err := newHeader().read(c.text)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %s", c.text, err, c.want)
		}
	}
}
