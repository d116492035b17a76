// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const layout = "testdata/layout.c"

func TestLayout(t *testing.T) {
	strict := []string{"-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-I", include(t)}
	for _, c := range []struct {
		name, compiler string
		flags          []string
	}{
		{"C99", "gcc", []string{"-std=c99"}},
		{"C11", "gcc", []string{"-std=c11"}},
		{"C++11", "g++", []string{"-std=c++11", "-x", "c++"}},
		{"arm64", "aarch64-linux-gnu-gcc", []string{"-std=c99"}},
		{"armhf", "arm-linux-gnueabihf-gcc", []string{"-std=c99"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			need(t, c.compiler)
			for _, source := range []string{layout, "testdata/vendor.c"} {
				output(t, c.compiler, slices.Concat(strict, c.flags, []string{source})...)
			}
		})
	}
}

// A structure, field or function without its line would be unchecked.
func TestLayoutIsComplete(t *testing.T) {
	need(t, "gcc")
	text, err := os.ReadFile(layout)
	if err != nil {
		t.Fatal(err)
	}
	header := peer{header: "pkcs11.h", flags: []string{"-I", include(t)}}.scan(t)
	var want []string
	for name, fields := range header.fields {
		if strings.HasPrefix(name, "CK_FUNCTION_LIST") || strings.HasPrefix(name, "CK_AES_GCM_") || strings.HasPrefix(name, "CK_AES_CCM_") {
			continue // the lists go by function; the two others are older names
		}
		want = append(want, fmt.Sprintf("TYPE(%s,", name))
		for _, field := range fields {
			want = append(want, fmt.Sprintf("FIELD(%s, %s,", name, field))
		}
	}
	for name := range header.prototypes {
		want = append(want, fmt.Sprintf("(%s, ", strings.TrimPrefix(name, "C_")))
	}
	t.Logf("%d structures, %d functions", len(header.fields), len(header.prototypes))
	for _, line := range want {
		if strings.Count(string(text), line) != 1 {
			t.Errorf("%s holds %q %d times", layout, line, strings.Count(string(text), line))
		}
	}
}

// The table would be worth nothing if a wrong one compiled as well.
func TestLayoutNoticesADifference(t *testing.T) {
	need(t, "gcc")
	text, err := os.ReadFile(layout)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ right, wrong string }{
		{"FIELD(CK_INFO, flags, 40, 36)", "FIELD(CK_INFO, flags, 41, 37)"},
		{"TYPE(CK_DATE, 8, 8)", "TYPE(CK_DATE, 9, 9)"},
		{"FUNCTION_3_2(AsyncJoin, 102)", "FUNCTION_3_2(AsyncJoin, 103)"},
	} {
		if !strings.Contains(string(text), c.right) {
			t.Fatalf("%s has no %s", layout, c.right)
		}
		if !compiles(t, string(text)) || compiles(t, strings.Replace(string(text), c.right, c.wrong, 1)) {
			t.Errorf("%s and %s make no difference", c.right, c.wrong)
		}
	}
}

func compiles(t *testing.T, text string) bool {
	t.Helper()
	source := filepath.Join(t.TempDir(), "layout.c")
	write(t, source, text)
	return exec.Command("gcc", "-fsyntax-only", "-I", include(t), source).Run() == nil
}
