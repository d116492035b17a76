// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestKeysPage follows docs/keys.md from a new token to the second key of a server.
func TestKeysPage(t *testing.T) {
	t.Parallel()
	page{programs: []string{"nginx", "curl", "openssl"}, engine: true, root: true}.need(t)
	text, err := os.ReadFile(filepath.Join(harness.Root(t), "docs/keys.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := newRootSandbox(t)
	s.configure("") // the page sets all that it needs
	s.follow(steps(s.localise(string(text))))
}

// TestKeysPageNamesAllSnippets: a program that the tool knows is on the page.
func TestKeysPageNamesAllSnippets(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(harness.Root(t), "docs/keys.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := printedSnippets(t)
	last := len(names) - 1
	if list := strings.Join(names[:last], ", ") + " and " + names[last]; !strings.Contains(string(text), list) {
		t.Errorf("the page does not name %s", list)
	}
}
