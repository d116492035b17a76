// SPDX-License-Identifier: Apache-2.0

// Package docs holds the documents against the project: what they name exists,
// what they show works.
package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// document is a Markdown file and its text.
type document struct{ path, text string }

// documents returns all Markdown files of the project.
func documents(t *testing.T) []document {
	t.Helper()
	var list []document
	root := harness.Root(t)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (e.Name() == ".git" || path == filepath.Join(root, "build")) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			list = append(list, document{path, read(t, path)})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("no documents")
	}
	return list
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// name is the path of a document for messages.
func (d document) name(t *testing.T) string {
	rel, err := filepath.Rel(harness.Root(t), d.path)
	if err != nil {
		t.Fatal(err)
	}
	return rel
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestRelativeLinks(t *testing.T) {
	for _, d := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(d.text, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, ":") {
				continue // within the page, or elsewhere
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(d.path), target)); err != nil {
				t.Errorf("%s: link to %s: %v", d.name(t), target, err)
			}
		}
	}
}

// source is a path of the project in a code span.
var source = regexp.MustCompile("`((?:cmd|docs|include|internal|module|packaging|pkcs11|scripts|tests)/[A-Za-z0-9_./-]*)`")

func TestNamedFilesExist(t *testing.T) {
	for _, d := range documents(t) {
		for _, m := range source.FindAllStringSubmatch(d.text, -1) {
			if _, err := os.Stat(filepath.Join(harness.Root(t), m[1])); err != nil {
				t.Errorf("%s names %s: %v", d.name(t), m[1], err)
			}
		}
	}
}
