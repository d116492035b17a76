// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func settingsOf(t *testing.T) (root string, list []setting) {
	t.Helper()
	root, err := projectFolder()
	if err != nil {
		t.Fatal(err)
	}
	list, err = readSettings(root)
	if err != nil {
		t.Fatal(err)
	}
	return root, list
}

// TestFileIsInStep: the file that is installed has what the tables say.
func TestFileIsInStep(t *testing.T) {
	root, list := settingsOf(t)
	text, err := os.ReadFile(filepath.Join(root, "packaging/zk_pkcs11.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != settingsFile(list) {
		t.Error("packaging/zk_pkcs11.toml is not what the tables of settings say: run make generate")
	}
}

func TestEverySettingHasAValueAndAPlace(t *testing.T) {
	_, list := settingsOf(t)
	file := settingsFile(list)
	for _, s := range list {
		value, err := s.value()
		if err != nil {
			t.Error(err)
		}
		if _, key := s.split(); !strings.Contains(file, "\n#"+key+" = "+value+"\n") {
			t.Errorf("%s is not in the file", s.name)
		}
	}
	if got := strings.Count(file, " = "); got != len(list) {
		t.Errorf("%d settings in the file, %d in the tables", got, len(list))
	}
}

func TestExamplesAreOfSettings(t *testing.T) {
	_, list := settingsOf(t)
	names := map[string]bool{}
	for _, s := range list {
		names[s.name] = true
	}
	for name := range examples {
		if !names[name] {
			t.Errorf("there is an example of %s, which is no setting", name)
		}
	}
}

func TestPages(t *testing.T) {
	root, list := settingsOf(t)
	folder := t.TempDir()
	if err := writePages(root, folder, list); err != nil {
		t.Fatal(err)
	}
	for page, want := range map[string]string{
		"zk_pkcs11.toml.5.md": "**nonce**\n: ",
		"libzk_pkcs11.7.md":   "**ZK_PKCS11_HOME**\n: ",
	} {
		text, err := os.ReadFile(filepath.Join(folder, page))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) || strings.Contains(string(text), "@\n") {
			t.Errorf("%s lacks %q, or has a line that was not replaced:\n%s", page, want, text)
		}
	}
}
