// SPDX-License-Identifier: Apache-2.0

package shape

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

var update = flag.Bool("update", false, "write docs/functions.md anew")

// function is one of PKCS#11.
type function struct {
	name, since string
	here        bool // the library has it
}

var (
	tableLine  = regexp.MustCompile(`^#define CK_FUNCTIONS_(\d)_(\d+)\(`)
	memberLine = regexp.MustCompile(`^\tF\((\w+),`)
	entryLine  = regexp.MustCompile(`(?m)^(?:ENTRY\(|CK_RV C_)(\w+)`)
)

// functions reads the table of functions in include/pkcs11.h, and which of them
// are defined in module/.
func functions(t *testing.T) []function {
	t.Helper()
	defined := definitions(t)
	var all []function
	since := ""
	for line := range strings.Lines(read(t, "include/pkcs11.h")) {
		if m := tableLine.FindStringSubmatch(line); m != nil {
			since = m[1] + "." + m[2]
		}
		if m := memberLine.FindStringSubmatch(line); m != nil {
			all = append(all, function{m[1], since, slices.Contains(defined, m[1])})
		}
	}
	return all
}

// definitions are the functions that some C file in module/ defines. The weak
// ones that stand in for the rest are made by a macro.
func definitions(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(harness.Root(t), "module", "*.c"))
	if err != nil || len(files) == 0 {
		t.Fatal("no C files", err)
	}
	var all []string
	for _, path := range files {
		for _, m := range entryLine.FindAllStringSubmatch(read(t, filepath.Join("module", filepath.Base(path))), -1) {
			if !strings.HasSuffix(m[0], "C_") && m[1] != "NAME" {
				all = append(all, m[1])
			}
		}
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(harness.Root(t), path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestFunctionsPage: docs/functions.md lists each function of the header, as one
// that is there or as one that is not.
func TestFunctionsPage(t *testing.T) {
	page := render(functions(t))
	path := filepath.Join(harness.Root(t), "docs", "functions.md")
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(page, "| ? |") {
		t.Error("a function is not supported for no reason")
	}
	if read(t, "docs/functions.md") != page {
		t.Error("docs/functions.md is not what the header and module/ say; run go test ./tests/shape -update")
	}
}

func render(all []function) string {
	var b strings.Builder
	b.WriteString("# Functions\n\n" +
		"Each function of PKCS#11 2.40, 3.0 and 3.2 is exported and stands in the function lists.\n" +
		"Those that this library does not have answer CKR_FUNCTION_NOT_SUPPORTED, or\n" +
		"CKR_CRYPTOKI_NOT_INITIALIZED before C_Initialize. This page is made from\n" +
		"`include/pkcs11.h` and `module/` by `go test ./tests/shape -update`.\n")
	b.WriteString("\n## Supported\n\n| function | since |\n| --- | --- |\n")
	for _, f := range all {
		if f.here {
			fmt.Fprintf(&b, "| C_%s | %s |\n", f.name, f.since)
		}
	}
	b.WriteString("\n## Not supported\n\n| function | since | why |\n| --- | --- | --- |\n")
	for _, f := range all {
		if !f.here {
			fmt.Fprintf(&b, "| C_%s | %s | %s |\n", f.name, f.since, reason(f.name))
		}
	}
	return b.String()
}

// reasons are why functions with a word in their names are not supported.
var reasons = []struct{ word, why string }{
	{"Async", "a session works on one call at a time: C_OpenSession refuses CKF_ASYNC_SESSION"},
}

// reason is why a function is not supported. Each needs one.
func reason(name string) string {
	for _, r := range reasons {
		if strings.Contains(name, r.word) {
			return r.why
		}
	}
	return "?"
}

// TestFunctionTable checks that the header was read as it is meant: the number
// of functions in each version of the specification.
func TestFunctionTable(t *testing.T) {
	count := map[string]int{}
	for _, f := range functions(t) {
		count[f.since]++
	}
	for since, n := range map[string]int{"2.40": 68, "3.0": 24, "3.2": 12} {
		if count[since] != n {
			t.Errorf("%d functions of %s, want %d", count[since], since, n)
		}
	}
}

// TestNoEntryIsForeign: what module/ defines as C_* is in the table.
func TestNoEntryIsForeign(t *testing.T) {
	all := functions(t)
	for _, name := range definitions(t) {
		if !slices.ContainsFunc(all, func(f function) bool { return f.name == name }) {
			t.Errorf("C_%s is defined in module/ and not in the table of include/pkcs11.h", name)
		}
	}
}

// TestEntriesReachGo: each ENTRY has its Go function, and each such function its
// ENTRY.
func TestEntriesReachGo(t *testing.T) {
	entries := regexp.MustCompile(`(?m)^ENTRY\((\w+)`).FindAllStringSubmatch(read(t, "module/entry.c"), -1)
	exports := map[string]bool{}
	for _, s := range sources(t) {
		if s.path() != "module" {
			continue
		}
		for _, group := range s.syntax.Comments {
			for _, c := range group.List {
				if name, is := strings.CutPrefix(c.Text, "//export go"); is {
					exports[name] = true
				}
			}
		}
	}
	for _, e := range entries {
		if !exports[e[1]] {
			t.Errorf("no //export go%s", e[1])
		}
		delete(exports, e[1])
	}
	for name := range exports {
		if !slices.Contains([]string{"Initialize", "Finalize", "GetInfo", "Meet", "ReserveHeap", "PrepareThreads"}, name) {
			t.Errorf("go%s is exported and no ENTRY calls it", name)
		}
	}
}
