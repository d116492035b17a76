// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// peer is a header of someone else for the same interface.
type peer struct {
	name       string
	header     string            // for #include
	flags      []string          // of the compiler
	prototypes bool              // the types of parameters have the standard's names
	differ     map[string]string // facts that differ, each with the reason
}

// Why a peer has another value than the header of version 3.2.
const (
	p11KitErrors = "the headers of 2.40 and 3.2 have 0x1b5 to 0x1b9, p11-kit 0x1c0 to 0x1c4"
	sha3Keys     = "2.40 has 0x33 to 0x36, which 3.0 gave to other types of keys"
)

var p11KitDiffer = map[string]string{
	"CKR_EXCEEDED_MAX_ITERATIONS": p11KitErrors,
	"CKR_FIPS_SELF_TEST_FAILED":   p11KitErrors,
	"CKR_LIBRARY_LOAD_FAILED":     p11KitErrors,
	"CKR_PIN_TOO_WEAK":            p11KitErrors,
	"CKR_PUBLIC_KEY_INVALID":      p11KitErrors,
}

var miekgDiffer = map[string]string{
	"CKK_SHA3_224_HMAC": sha3Keys,
	"CKK_SHA3_256_HMAC": sha3Keys,
	"CKK_SHA3_384_HMAC": sha3Keys,
	"CKK_SHA3_512_HMAC": sha3Keys,
}

func p11Kit(t *testing.T) peer {
	t.Helper()
	const dir = "/usr/include/p11-kit-1"
	if _, err := os.Stat(filepath.Join(dir, "p11-kit/pkcs11.h")); err != nil {
		t.Skipf("p11-kit's header is not installed (package libp11-kit-dev): %v", err)
	}
	return peer{
		name:   "p11-kit",
		header: "p11-kit/pkcs11.h",
		flags:  []string{"-isystem", dir, "-DCRYPTOKI_COMPAT"},
		differ: p11KitDiffer,
	}
}

// miekg is the 2.40 header inside of github.com/miekg/pkcs11.
func miekg(t *testing.T) peer {
	t.Helper()
	return peer{
		name:       "miekg",
		header:     "pkcs11go.h",
		flags:      []string{"-isystem", moduleDir(t, "github.com/miekg/pkcs11")},
		prototypes: true,
		differ:     miekgDiffer,
	}
}

func TestPeers(t *testing.T) {
	need(t, "gcc")
	for name, of := range map[string]func(*testing.T) peer{"p11-kit": p11Kit, "miekg": miekg} {
		t.Run(name, func(t *testing.T) {
			theirs := of(t)
			ours := peer{name: "ours", header: "pkcs11.h", flags: []string{"-I", include(t)}}
			a, b := ours.scan(t), theirs.scan(t)
			compareFacts(t, ours, theirs, commonFacts(t, a, b))
			if theirs.prototypes {
				comparePrototypes(t, a.prototypes, b.prototypes)
			}
		})
	}
}

func (p peer) scan(t *testing.T) interfaceOf {
	t.Helper()
	source := filepath.Join(t.TempDir(), "include.c")
	write(t, source, fmt.Sprintf("#include <%s>\n", p.header))
	macros := output(t, "gcc", append([]string{"-E", "-dM", source}, p.flags...)...)
	declarations := output(t, "gcc", append([]string{"-E", "-P", source}, p.flags...)...)
	return scan(macros, declarations)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// common returns the sorted keys that both maps have.
func common[V any](a, b map[string]V) []string {
	var both []string
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if _, ok := b[name]; ok {
			both = append(both, name)
		}
	}
	return both
}

// commonFacts returns C expressions of what both headers have.
func commonFacts(t *testing.T, a, b interfaceOf) []string {
	t.Helper()
	constants, types, structs := common(a.constants, b.constants), common(a.types, b.types), common(a.fields, b.fields)
	facts := slices.Clone(constants)
	for _, name := range types {
		facts = append(facts, "sizeof("+name+")")
	}
	fields := 0
	for _, name := range structs {
		for _, field := range a.fields[name] {
			if slices.Contains(b.fields[name], field) {
				facts = append(facts, "offsetof("+name+", "+field+")", "sizeof((("+name+" *)0)->"+field+")")
				fields++
			}
		}
	}
	t.Logf("compared: %d constants, %d types, %d fields of %d structures", len(constants), len(types), fields, len(structs))
	if min(len(constants), len(types), len(structs), fields) == 0 {
		t.Error("nothing found to compare")
	}
	return facts
}

// compareFacts computes the facts with both headers, each in its own unit.
func compareFacts(t *testing.T, ours, theirs peer, facts []string) {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "compare")
	link := []string{"-o", program, "testdata/compare.c"}
	for _, p := range []peer{ours, theirs} {
		role := "theirs"
		if p.name == ours.name {
			role = "ours"
		}
		source, object := filepath.Join(dir, role+".c"), filepath.Join(dir, role+".o")
		write(t, source, unit(p.header, role, facts))
		output(t, "gcc", append([]string{"-c", "-o", object, source}, p.flags...)...)
		link = append(link, object)
	}
	output(t, "gcc", link...)
	report(t, output(t, program), theirs.differ)
}

// unit is a C file that holds the facts of one header.
func unit(header, role string, facts []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#include <stddef.h>\n#include <%s>\n", header)
	fmt.Fprintf(&b, "const struct fact { const char *text; unsigned long value; } %s[] = {\n", role)
	for _, fact := range facts {
		fmt.Fprintf(&b, "\t{%q, (unsigned long)(%s)},\n", fact, fact)
	}
	b.WriteString("\t{0, 0},\n};\n")
	return b.String()
}

// report fails for each difference that has no reason, and for each reason
// that has no difference.
func report(t *testing.T, differences string, reasons map[string]string) {
	t.Helper()
	seen := map[string]bool{}
	for line := range strings.Lines(differences) {
		fact, values, _ := strings.Cut(strings.TrimSpace(line), ": ")
		seen[fact] = true
		if reason := reasons[fact]; reason != "" {
			t.Logf("%s: %s (%s)", fact, values, reason)
		} else {
			t.Errorf("%s: %s", fact, values)
		}
	}
	for fact := range reasons {
		if !seen[fact] {
			t.Errorf("%s does not differ any more", fact)
		}
	}
}

func comparePrototypes(t *testing.T, ours, theirs map[string]string) {
	t.Helper()
	names := common(ours, theirs)
	t.Logf("compared: %d prototypes", len(names))
	if len(names) != len(theirs) || len(names) == 0 {
		t.Errorf("%d prototypes in common, %d in the other header", len(names), len(theirs))
	}
	for _, name := range names {
		if ours[name] != theirs[name] {
			t.Errorf("%s(%s), want (%s)", name, ours[name], theirs[name])
		}
	}
}
