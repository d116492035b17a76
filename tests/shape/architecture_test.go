// SPDX-License-Identifier: Apache-2.0

package shape

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// What a newcomer reads first, in lines.
const (
	longestArchitecture = 200
	longestGlossary     = 40
)

func TestArchitectureLength(t *testing.T) {
	page := read(t, "docs/ARCHITECTURE.md")
	if n := strings.Count(page, "\n"); n > longestArchitecture {
		t.Errorf("docs/ARCHITECTURE.md has %d lines, more than %d", n, longestArchitecture)
	}
	_, words, there := strings.Cut(page, "\n## Words\n")
	if n := strings.Count(words, "\n"); !there || n > longestGlossary {
		t.Errorf("the glossary has %d lines, more than %d", n, longestGlossary)
	}
}

// fileName is what a page names a file of the project by.
var fileName = regexp.MustCompile("`((?:cmd|docs|include|internal|module|packaging|pkcs11|scripts|testdata|tests)/[\\w./-]+)`")

// TestNamedFiles: what the pages name is there.
func TestNamedFiles(t *testing.T) {
	for _, page := range []string{"docs/ARCHITECTURE.md", "docs/where.md", "CONTRIBUTING.md"} {
		names := fileName.FindAllStringSubmatch(read(t, page), -1)
		if len(names) < 10 {
			t.Errorf("%s names %d files only", page, len(names))
		}
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(harness.Root(t), name[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

// TestRowExample: the row of a mechanism that CONTRIBUTING shows is one of the table.
func TestRowExample(t *testing.T) {
	example := regexp.MustCompile(`(?m)^    (CKM_\w+): +(\{.*\},)$`).FindStringSubmatch(read(t, "CONTRIBUTING.md"))
	if example == nil {
		t.Fatal("CONTRIBUTING.md shows no row of a mechanism")
	}
	row := regexp.MustCompile(`(?m)^\t` + example[1] + `: +` + regexp.QuoteMeta(example[2]) + `$`)
	if !row.MatchString(read(t, "pkcs11/mechanisms.go")) {
		t.Errorf("pkcs11/mechanisms.go has no row %q", example[0])
	}
}
