// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

const (
	softHSM        = "/usr/lib/softhsm/libsofthsm2.so"
	softHSMVersion = "2.6.1-2.1" // of Debian 12: another may be built with other mechanisms
)

// TestFeaturesPage: docs/FEATURES.md is what one program measures in this module and in SoftHSM2.
func TestFeaturesPage(t *testing.T) {
	harness.SoftOnly(t, "the page tells of the soft SCM")
	harness.Need(t, "cc", "dpkg-query")
	out, err := exec.Command("dpkg-query", "--show", "--showformat", "${Version}", "softhsm2").Output()
	if err != nil || string(out) != softHSMVersion {
		t.Skipf("the page is beside SoftHSM2 %s, and here is %q", softHSMVersion, out)
	}
	page := featuresPage(t)
	path := filepath.Join(harness.Root(t), "docs/FEATURES.md")
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, path) != page {
		t.Error("docs/FEATURES.md is not what was measured; run go test ./tests/docs -run FeaturesPage -update")
	}
}

// features is what the program prints of one module.
type features struct {
	functions, objects, classes map[string]bool
	order                       []string // of the functions
	mechanisms                  map[uint][3]uint
}

// measure runs the program with both modules.
func measure(t *testing.T) (ours, theirs features) {
	t.Helper()
	program := harness.Compile(t, "testdata/features.c")
	home := harness.NewHome(t)
	tokens := filepath.Join(home.Dir, "softhsm")
	settings := filepath.Join(t.TempDir(), "softhsm.conf")
	templates := filepath.Join(t.TempDir(), "objects")
	for _, err := range []error{
		os.Mkdir(tokens, 0o700),
		os.WriteFile(settings, []byte("directories.tokendir = "+tokens+"\nlog.level = ERROR\n"), 0o600),
		os.WriteFile(templates, []byte(objectTemplates(t)), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	home.Set("SOFTHSM2_CONF", settings)
	return readFeatures(t, home.Run(program, harness.Module(t), templates)), readFeatures(t, home.Run(program, softHSM, templates))
}

func readFeatures(t *testing.T, out string) features {
	t.Helper()
	f := features{map[string]bool{}, map[string]bool{}, map[string]bool{}, nil, map[uint][3]uint{}}
	for line := range strings.Lines(out) {
		words := strings.Fields(line)
		if len(words) < 3 {
			t.Fatalf("the program printed %q", line)
		}
		switch name := words[1]; words[0] {
		case "function":
			f.functions[name] = words[2] == "1"
			f.order = append(f.order, name)
		case "object":
			f.objects[name] = words[2] == "0x0"
		case "class":
			f.classes[name] = words[2] != "0"
		case "mechanism":
			f.mechanisms[parse(t, name)] = [3]uint{parse(t, words[2]), parse(t, words[3]), parse(t, words[4])}
		}
	}
	return f
}

func parse(t *testing.T, text string) uint {
	t.Helper()
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return uint(n)
}

// page is a page with tables, whose rows are counted.
type page struct {
	strings.Builder
	ours, theirs, both, all int
}

func featuresPage(t *testing.T) string {
	t.Helper()
	ours, theirs := measure(t)
	p := &page{}
	p.WriteString("# Features\n\n" +
		"What this module has, beside SoftHSM2 2.6.1 (package " + softHSMVersion + " of Debian 12). One program, `tests/docs/testdata/features.c`, asks both in\n" +
		"the same run, each with its default settings and a new token, this module with a soft SCM. This page is made by\n" +
		"`go test ./tests/docs -run FeaturesPage -update`, and the same test fails where it is not what is measured.\n" +
		"That the mechanisms do what they say is for `tests/conformance`, which uses each of this module.\n")
	p.functions(ours, theirs)
	p.mechanisms(t, ours, theirs)
	p.objects(ours, theirs)
	return p.String()
}

func (p *page) begin(title, text, columns string) {
	fmt.Fprintf(p, "\n## %s\n\n%s\n\n| %s | this module | SoftHSM2 |\n| --- | --- | --- |\n", title, text, columns)
	p.ours, p.theirs, p.both, p.all = 0, 0, 0, 0
}

// row writes what both have of a thing; "" is nothing.
func (p *page) row(name, ours, theirs string) {
	fmt.Fprintf(p, "| %s | %s | %s |\n", name, orDash(ours), orDash(theirs))
	p.all++
	if ours != "" {
		p.ours++
	}
	if theirs != "" {
		p.theirs++
	}
	if ours != "" && theirs != "" {
		p.both++
	}
}

func (p *page) end() {
	fmt.Fprintf(p, "\nOf %d: %d here, %d in SoftHSM2, %d in both.\n", p.all, p.ours, p.theirs, p.both)
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

func yes(there bool) string {
	if there {
		return "yes"
	}
	return ""
}

func (p *page) functions(ours, theirs features) {
	p.begin("Functions", "Those of PKCS#11 2.40, 3.0 and 3.2 that are there and do not answer CKR_FUNCTION_NOT_SUPPORTED, in the order of the\n"+
		"specification. What is not here, and why, is in [functions.md](functions.md).", "function")
	for _, name := range ours.order {
		p.row("C_"+name, yes(ours.functions[name]), yes(theirs.functions[name]))
	}
	p.end()
}

func (p *page) mechanisms(t *testing.T, ours, theirs features) {
	t.Helper()
	p.begin("Mechanisms", "What C_GetMechanismInfo answers for each of C_GetMechanismList: what it is for, and the sizes of keys.", "mechanism")
	names := mechanismNames(t)
	var types []uint
	for typ := range ours.mechanisms {
		types = append(types, typ)
	}
	for typ := range theirs.mechanisms {
		types = append(types, typ)
	}
	slices.Sort(types)
	for _, typ := range slices.Compact(types) {
		name := names[typ]
		if name == "" {
			name = fmt.Sprintf("0x%x", typ)
		}
		p.row(name, ours.mechanism(t, typ), theirs.mechanism(t, typ))
	}
	p.end()
}

func (f *features) mechanism(t *testing.T, typ uint) string {
	t.Helper()
	m, there := f.mechanisms[typ]
	switch {
	case !there:
		return ""
	case m[2] == 0:
		return usesOf(t, fmt.Sprintf("0x%x", typ), m[0])
	case m[1] == m[2]:
		return fmt.Sprintf("%s; %d", usesOf(t, fmt.Sprintf("0x%x", typ), m[0]), m[1])
	}
	return fmt.Sprintf("%s; %d to %d", usesOf(t, fmt.Sprintf("0x%x", typ), m[0]), m[1], m[2])
}

func (p *page) objects(ours, theirs features) {
	p.begin("Objects", "What C_CreateObject takes for the token, and another session finds afterwards.", "object")
	for _, o := range objectsTried() {
		p.row(o.name, yes(ours.objects[o.key()]), yes(theirs.objects[o.key()]))
	}
	p.end()
	p.begin("Objects that are there by themselves", "Those of a new token.", "class")
	for _, class := range []struct{ name, number string }{
		{"CKO_HW_FEATURE", "0x5"}, {"CKO_MECHANISM", "0x7"}, {"CKO_PROFILE", "0x9"}, {"CKO_VALIDATION", "0xa"},
	} {
		p.row(class.name, yes(ours.classes[class.number]), yes(theirs.classes[class.number]))
	}
}
