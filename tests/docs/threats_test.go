// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

var (
	testFolder = regexp.MustCompile(`(?:tests|internal|pkcs11|module)(?:/[a-z0-9]+)*`)
	testName   = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
)

// TestThreats: the tests that docs/threats.md names exist, in the folder that it names.
func TestThreats(t *testing.T) {
	text := read(t, filepath.Join(harness.Root(t), "docs", "threats.md"))
	named := 0
	for _, line := range strings.Split(text, "\n") {
		cells := strings.Split(strings.Trim(line, "| "), "|")
		if len(cells) != 4 || !strings.Contains(cells[3], "/") {
			continue
		}
		for _, part := range strings.Split(cells[3], ", ") {
			named += inFolder(t, testFolder.FindString(part), testName.FindStringSubmatch(part))
		}
	}
	if named < 10 {
		t.Errorf("only %d tests are named", named)
	}
}

// inFolder looks for a test, or for any test where none is named, and returns how many it has found.
func inFolder(t *testing.T, folder string, name []string) int {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(harness.Root(t), folder, "*_test.go"))
	if err != nil || len(paths) == 0 {
		t.Errorf("%s has no tests", folder)
		return 0
	}
	want := "func Test"
	if name != nil {
		want = "func " + name[1] + "("
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), want) {
			return 1
		}
	}
	t.Errorf("%s has no %s", folder, want)
	return 0
}
