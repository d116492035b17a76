// SPDX-License-Identifier: Apache-2.0

// Package damagetest damages the files of a folder, for tests of what comes of it.
package damagetest

import (
	"os"
	"path/filepath"
	"testing"
)

// Copy returns a new folder with the files of another one, of which one is damaged.
func Copy(t testing.TB, from, name string, at, length uint32, patch []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, Damage(content, at, length, patch), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Damage puts a patch somewhere into a content, and cuts it off somewhere unless length is 0.
func Damage(content []byte, at, length uint32, patch []byte) []byte {
	if len(content) == 0 {
		return patch
	}
	copy(content[at%uint32(len(content)):], patch)
	if length > 0 {
		content = content[:length%uint32(len(content))]
	}
	return content
}
