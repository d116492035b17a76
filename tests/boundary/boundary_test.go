// SPDX-License-Identifier: Apache-2.0

// Package boundary_test holds the module against callers that do things wrong,
// and looks at what the file of the module shows to the dynamic linker. The
// callers are in testdata/boundary.c.
package boundary_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// compile builds the caller, with C_* functions of its own in its symbol table.
func compile(t *testing.T) string {
	t.Helper()
	harness.Need(t, "cc")
	program := filepath.Join(t.TempDir(), "boundary")
	include := "-I" + filepath.Join(harness.Root(t), "include")
	out, err := exec.Command("cc", "-Wall", "-Werror", "-O1", "-rdynamic", include, "-o", program, "testdata/boundary.c", "-ldl").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// TestBoundary also expects that the module prints nothing but what a topic
// provokes.
func TestBoundary(t *testing.T) {
	program := compile(t)
	tests := []struct{ topic, prints string }{
		{"lists", "^$"},
		{"interfaces", "^$"},
		{"initialize", "^$"},
		{"nulls", "^$"},
		{"lengths", "^$"},
		{"operations", "^$"},
		{"wild-pointers", "^$"},
		{"empty", "^$"},
		{"host-environment", `^libzk_pkcs11: error: ZK_PKCS11_BACKEND: "none of them" is not one of auto, soft, zymbit\n$`},
	}
	for _, tt := range tests {
		t.Run(tt.topic, func(t *testing.T) {
			t.Parallel()
			out := harness.NewHome(t).Run(program, harness.Module(t), tt.topic)
			if !regexp.MustCompile(tt.prints).MatchString(out) {
				t.Errorf("printed %q, want %s", out, tt.prints)
			}
		})
	}
}

func TestBrokenSettings(t *testing.T) {
	program := compile(t)
	home := harness.NewHome(t)
	file := filepath.Join(t.TempDir(), "zk.toml")
	if err := os.WriteFile(file, []byte("\ncolour = \"red\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	home.Set("ZK_PKCS11_CONF", file)
	out := home.Run(program, harness.Module(t), "broken-settings")
	if want := "libzk_pkcs11: error: " + file + ":2: colour: unknown setting\n"; out != want {
		t.Errorf("printed %q, want %q", out, want)
	}
}

func TestTraceHoldsNoSecrets(t *testing.T) {
	program := compile(t)
	home := harness.NewHome(t)
	file := filepath.Join(t.TempDir(), "trace")
	home.Set("ZK_PKCS11_TRACE", file)
	home.Set("ZK_PKCS11_LOG", "debug")
	out := home.Run(program, harness.Module(t), "token")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{" C_InitToken slot=0 = CKR_OK ", " user=1 = CKR_PIN_INCORRECT ", " C_CreateObject ", " C_Finalize = CKR_OK "} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in the trace:\n%s", want, text)
		}
	}
	if strings.Contains(string(text)+out, "canary") {
		t.Errorf("a PIN or a value is in the trace or the log:\n%s%s", text, out)
	}
}

// functions returns the names in the tables of the header.
func functions(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root(t), "include", "pkcs11.h"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^\tF\((\w+), `).FindAllSubmatch(text, -1) {
		names = append(names, "C_"+string(m[1]))
	}
	slices.Sort(names)
	return names
}

func TestExportedSymbols(t *testing.T) {
	file, err := elf.Open(harness.Module(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	symbols, err := file.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	var exported []string
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF {
			exported = append(exported, s.Name)
		}
	}
	slices.Sort(exported)
	if want := functions(t); !slices.Equal(exported, want) {
		t.Errorf("exported %d symbols:\n%q\nwant %d:\n%q", len(exported), exported, len(want), want)
	}
}

func TestDynamicSection(t *testing.T) {
	file, err := elf.Open(harness.Module(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if name, err := file.DynString(elf.DT_SONAME); err != nil || !slices.Equal(name, []string{"libzk_pkcs11.so"}) {
		t.Errorf("soname %q, %v", name, err)
	}
	flags, err := file.DynValue(elf.DT_FLAGS)
	if want := uint64(elf.DF_SYMBOLIC | elf.DF_BIND_NOW); err != nil || len(flags) != 1 || flags[0]&want != want {
		t.Errorf("flags %x, %v, want %x", flags, err, want)
	}
	libraries, err := file.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range libraries {
		if !regexp.MustCompile(`^(lib(c|m|dl|pthread|resolv)|ld-linux.*)\.so`).MatchString(name) {
			t.Errorf("needs %s", name)
		}
	}
}
