// SPDX-License-Identifier: Apache-2.0

package shape

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// arrows are the packages of the project that a package may import. One that is
// not here may import none.
var arrows = map[string][]string{
	"pkcs11":         {"internal/scm", "internal/secret", "internal/softkey", "internal/store", "internal/turn"},
	"internal/store": {"internal/descriptor", "internal/secret", "internal/sharedfile"},
	"internal/scm/soft": {
		"internal/blinded", "internal/descriptor", "internal/scm", "internal/scm/soft/board", "internal/scm/soft/settings", "internal/secret",
		"internal/sharedfile", "internal/turn",
	},
	"internal/scm/soft/board":     {"internal/descriptor", "internal/scm", "internal/scm/soft/settings"},
	"internal/scm/soft/settings":  {"internal/config/value", "internal/scm"},
	"internal/scm/soft/wallet":    {"internal/scm", "internal/scm/soft", "internal/scm/soft/settings", "internal/scm/soft/wallet/hd", "internal/secret"},
	"internal/scm/soft/wallet/hd": {"internal/scm"},
	"internal/scm/scmtest":        {"internal/scm"},
	"internal/scm/zymbit":         {"internal/scm", "internal/sharedfile"},
	"internal/scm/pool":           {"internal/scm", "internal/secret", "internal/turn"},
	"internal/setup": {
		"internal/config", "internal/descriptor", "internal/scm", "internal/scm/pool", "internal/scm/soft", "internal/scm/zymbit",
		"internal/sharedfile", "internal/store", "pkcs11",
	},
	"module": {"internal/config", "internal/fresh", "internal/secret", "internal/setup", "internal/trace", "pkcs11"},
	"cmd/zk_pkcs11-util": {
		"internal/backup", "internal/certificate", "internal/config", "internal/doctor", "internal/importer", "internal/keyring", "internal/recovery", "internal/scm", "internal/scm/soft",
		"internal/scm/soft/board", "internal/scm/soft/wallet", "internal/scm/soft/wallet/hd", "internal/setup", "internal/snippet", "internal/store", "internal/trace", "pkcs11",
	},
	"cmd/libzk_app_utils": {
		"internal/config", "internal/descriptor", "internal/fresh", "internal/scm", "internal/scm/soft/wallet",
		"internal/setup", "internal/trace",
	},
	"internal/doctor":       {"internal/config", "internal/scm", "internal/scm/soft", "internal/setup", "internal/store", "pkcs11"},
	"internal/importer":     {"internal/softkey", "pkcs11"},
	"internal/backup":       nil,
	"internal/certificate":  nil,
	"internal/keyring":      {"internal/certificate", "pkcs11"},
	"internal/recovery":     {"internal/scm/soft/wallet/hd"},
	"internal/config":       {"internal/config/value", "internal/descriptor", "internal/scm/soft/settings"},
	"internal/config/value": nil,
	"internal/descriptor":   nil,
	"internal/fresh":        nil,
	"internal/trace":        {"internal/descriptor"},
	"internal/secret":       nil,
	"internal/snippet":      nil,
	"internal/softkey":      {"internal/blinded", "internal/secret"},
	"internal/blinded":      nil,
	"internal/sharedfile":   {"internal/descriptor", "internal/turn"},
	"internal/turn":         nil,
	"internal/processtest":  nil,
	"internal/damagetest":   nil,
	"internal/scm":          nil,
	"scripts/gen":           nil,
	"packaging/gen":         nil,
}

// testArrows are what the tests of a package may import besides: itself, what
// stands in for the world below it, and the helpers of tests.
var testArrows = map[string][]string{
	"pkcs11": {
		"internal/scm/soft", "internal/scm/soft/board", "internal/scm/soft/settings", "internal/scm/soft/wallet",
		"internal/scm/zymbit",
	},
	"internal/scm/soft/wallet": {"internal/scm/soft/board"},
	"internal/scm/scmtest":     {"internal/scm/soft"},
	"internal/scm/pool":        {"internal/scm/soft", "internal/scm/soft/wallet"},
	"internal/scm/zymbit":      {"internal/scm/soft", "internal/scm/soft/board", "internal/scm/soft/wallet", "tests/harness"},
	"module":                   {"internal/scm", "internal/scm/soft", "internal/store"},
}

// testOnly are the packages that only tests may import.
var testOnly = []string{"internal/damagetest", "internal/processtest", "internal/scm/scmtest"}

func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		if p.under("tests") {
			continue
		}
		allowed, known := arrows[p.path()]
		if !known {
			t.Errorf("%s is new: say in arrows which packages it may import", p.path())
		}
		for _, path := range own(p.Imports) {
			if !slices.Contains(allowed, path) {
				t.Errorf("%s must not import %s", p.path(), path)
			}
		}
		allowed = slices.Concat(allowed, testArrows[p.path()], testOnly, []string{p.path()})
		for _, path := range own(slices.Concat(p.TestImports, p.XTestImports)) {
			if !slices.Contains(allowed, path) {
				t.Errorf("the tests of %s must not import %s", p.path(), path)
			}
		}
	}
}

// TestModuleWithoutWallets: libzk_pkcs11.so has no lists of words, and nothing that derives
// keys of wallets.
func TestModuleWithoutWallets(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "./module")
	list.Dir = harness.Root(t)
	out, err := list.Output()
	if err != nil || !strings.Contains(string(out), project+"module\n") {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	for path := range strings.Lines(string(out)) {
		if strings.HasPrefix(path, project) && strings.Contains(path, "wallet") {
			t.Errorf("the module needs %s", path)
		}
	}
}

// TestBlackBox: the tests in tests/ see the project as its users do.
func TestBlackBox(t *testing.T) {
	for _, p := range packages(t) {
		if !p.under("tests") {
			continue
		}
		for _, path := range own(slices.Concat(p.Imports, p.TestImports, p.XTestImports)) {
			if !strings.HasPrefix(path, "tests/") {
				t.Errorf("%s imports %s", p.path(), path)
			}
		}
	}
}

// own are those of the imports that belong to the project.
func own(imports []string) []string {
	var list []string
	for _, path := range imports {
		if within, is := strings.CutPrefix(path, project); is {
			list = append(list, within)
		}
	}
	return list
}

// TestArrowsExist: a rule for a package that is gone is a rule that nobody keeps.
func TestArrowsExist(t *testing.T) {
	all := packages(t)
	for path := range arrows {
		if !slices.ContainsFunc(all, func(p pkg) bool { return p.path() == path }) {
			t.Errorf("%s is not there any more", path)
		}
	}
}

// unsafePlaces are the packages that may speak C and use unsafe.
var unsafePlaces = []string{"module", "internal/scm/zymbit", "cmd/libzk_app_utils", "internal/fresh"}

func TestUnsafePlaces(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t) {
		for _, i := range s.syntax.Imports {
			if path := strings.Trim(i.Path.Value, `"`); path != "C" && path != "unsafe" {
				continue
			}
			used[s.path()] = true
			if !slices.Contains(unsafePlaces, s.path()) {
				t.Errorf("%s imports %s", s.name, i.Path.Value)
			}
		}
	}
	for _, place := range unsafePlaces {
		if !used[place] {
			t.Errorf("%s needs no C and no unsafe: take it off the list", place)
		}
	}
}

// TestNoGoInFresh: the package of C that both libraries have has nothing else.
func TestNoGoInFresh(t *testing.T) {
	found := false
	for _, s := range sources(t) {
		if s.path() != "internal/fresh" {
			continue
		}
		found = true
		if len(s.syntax.Decls) != 1 || len(s.syntax.Imports) != 1 {
			t.Errorf("%s has Go code", s.name)
		}
	}
	if !found {
		t.Error("internal/fresh has no file that go build sees")
	}
}

// TestPureProvider: the provider opens no file, reads no environment, starts
// nothing and prints nothing.
func TestPureProvider(t *testing.T) {
	outside := []string{"os", "os/exec", "os/signal", "path/filepath", "io/ioutil", "net", "syscall", "log", "log/syslog", "plugin"}
	for _, p := range packages(t) {
		if p.path() != "pkcs11" {
			continue
		}
		for _, path := range p.Imports {
			if slices.Contains(outside, path) {
				t.Errorf("pkcs11 imports %s", path)
			}
		}
	}
}
