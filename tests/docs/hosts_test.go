// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

var (
	row        = regexp.MustCompile(`(?m)^\| (.+) \| (.+) \|$`)
	namedTest  = regexp.MustCompile(`Test\w+`)
	namedPlace = regexp.MustCompile(`tests/\w+`)
)

// TestHostsPage: each line of the tables in docs/hosts.md names tests that exist.
func TestHostsPage(t *testing.T) {
	rows := row.FindAllStringSubmatch(read(t, filepath.Join(harness.Root(t), "docs/hosts.md")), -1)
	if len(rows) < 30 {
		t.Fatalf("%d lines in tables", len(rows))
	}
	for _, r := range rows {
		if r[1] == "what" || r[1] == "---" {
			continue
		}
		names := namedTest.FindAllString(r[2], -1)
		if len(names) == 0 {
			t.Errorf("no test for %q", r[1])
		}
		folder := "tests/guest"
		for _, part := range strings.Split(r[2], ", ") {
			if place := namedPlace.FindString(part); place != "" {
				folder = place
			}
			if name := namedTest.FindString(part); name != "" && !strings.Contains(testsOf(t, folder), "func "+name+"(") {
				t.Errorf("%s has no %s", folder, name)
			}
		}
	}
}

// testsOf is the text of all files of tests in a folder.
func testsOf(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(harness.Root(t), folder, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", folder, err)
	}
	var all strings.Builder
	for _, file := range files {
		all.WriteString(read(t, file))
	}
	return all.String()
}
