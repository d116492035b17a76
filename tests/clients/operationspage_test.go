// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestOperationsPage follows docs/operations.md through the life of a token.
func TestOperationsPage(t *testing.T) {
	t.Parallel()
	harness.SoftOnly(t, harness.NoSeal)
	page{root: true}.need(t)
	text, err := os.ReadFile(filepath.Join(harness.Root(t), "docs/operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := newRootSandbox(t)
	s.configure("") // the page sets all that it needs
	s.follow(steps(s.localise(string(text))))
}
