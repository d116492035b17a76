// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"libzk_pkcs11/tests/harness"
)

var (
	settingInCode = regexp.MustCompile(`(?m)^\t\t\{"([a-z0-9_.]+)", "([A-Z0-9_]*)", .*\bc\.`)
	slotInCode    = regexp.MustCompile(`(?m)^\t\t\{"([a-z_]+)", "", .*\bs\.`)
	softInCode    = regexp.MustCompile(`(?m)^\t\t\{"([a-z0-9_]+)", .*\bs\.`)
	settingInDoc  = regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\| (?:`([A-Z0-9_]+)`|–) \\| .+ \\| .+ \\|$")
	variable      = regexp.MustCompile(`\bZK_[A-Z0-9_]+\b`)
)

// settingsOfCode maps the settings to their variables, from the source text.
func settingsOfCode(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	text := read(t, filepath.Join(harness.Root(t), "internal/config/settings.go"))
	for _, m := range rowsOf(t, text, settingInCode) {
		found[m[1]] = m[2]
	}
	for _, m := range rowsOf(t, text, slotInCode) {
		found["slot."+m[1]] = ""
	}
	text = read(t, filepath.Join(harness.Root(t), "internal/scm/soft/settings/settings.go"))
	for _, m := range rowsOf(t, text, softInCode) {
		found["soft."+m[1]] = ""
	}
	return found
}

func rowsOf(t *testing.T, text string, row *regexp.Regexp) [][]string {
	t.Helper()
	rows := row.FindAllStringSubmatch(text, -1)
	if len(rows) == 0 {
		t.Fatalf("no settings found by %s: has the table another form?", row)
	}
	return rows
}

// settingsOfPages maps the settings in the tables of the documents to their
// variables. The administrator's are in the README, those of what the soft SCM
// emulates on a page of their own; none is in both.
func settingsOfPages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, path := range []string{readme(t), filepath.Join(harness.Root(t), "docs/settings.md")} {
		for _, m := range settingInDoc.FindAllStringSubmatch(read(t, path), -1) {
			if _, twice := found[m[1]]; twice {
				t.Errorf("%s is in two tables", m[1])
			}
			found[m[1]] = m[2]
		}
	}
	return found
}

func readme(t *testing.T) string { return filepath.Join(harness.Root(t), "README.md") }

func TestEverySettingIsDocumented(t *testing.T) {
	code, doc := settingsOfCode(t), settingsOfPages(t)
	for name, env := range code {
		got, ok := doc[name]
		if !ok {
			t.Errorf("%s is neither in README.md nor in docs/settings.md", name)
		} else if got != env {
			t.Errorf("the variable of %s is %q, in its table it is %q", name, env, got)
		}
	}
	for name := range doc {
		if _, ok := code[name]; !ok {
			t.Errorf("a table has a setting %s, which does not exist", name)
		}
	}
}

func TestVariablesOfTheReadmeExist(t *testing.T) {
	known := slices.Collect(maps.Values(settingsOfCode(t)))
	known = append(known, "ZK_PKCS11_CONF") // names the file, so it cannot stand in it
	for _, v := range variable.FindAllString(read(t, readme(t)), -1) {
		if !slices.Contains(known, v) {
			t.Errorf("README.md has a variable %s, which does not exist", v)
		}
	}
}
