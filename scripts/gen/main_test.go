// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGeneratedFilesAreCurrent(t *testing.T) {
	files, err := generate("../../include")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("../../pkcs11", name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("pkcs11/%s is not what the headers say: run go generate ./pkcs11", name)
		}
	}
}

func TestRunWritesWhatGenerateReturns(t *testing.T) {
	dir := t.TempDir()
	if err := run("../../include", dir); err != nil {
		t.Fatal(err)
	}
	files, err := generate("../../include")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 {
		t.Errorf("%d files, want zconst.go and znames.go", len(files))
	}
	for name, want := range files {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != string(want) {
			t.Errorf("%s differs (%v)", name, err)
		}
	}
}

func TestFailureNamesTheFile(t *testing.T) {
	if _, err := generate(t.TempDir()); err == nil || !strings.Contains(err.Error(), "pkcs11.h") {
		t.Errorf("no headers: error %v", err)
	}
	dir := t.TempDir()
	bad := []byte("\n#define CKA_BAD what\n")
	if err := os.WriteFile(filepath.Join(dir, "pkcs11.h"), bad, 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "pkcs11.h:2: CKA_BAD: what is not defined before"
	if _, err := generate(dir); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if err := run(dir, dir); err == nil {
		t.Error("run wrote files from a bad header")
	}
}
