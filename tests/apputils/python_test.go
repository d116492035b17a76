// SPDX-License-Identifier: Apache-2.0

package apputils_test

import (
	"path/filepath"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestPython runs a program in Python, and has OpenSSL judge what it leaves.
func TestPython(t *testing.T) {
	harness.Need(t, "python3", "openssl")
	home := newHome(t)
	folder := t.TempDir()
	// From 3.12 on Python warns programs that fork with threads, and Go's runtime is threads.
	if out := home.Run("python3", "-W", "ignore::DeprecationWarning", filepath.Join("testdata", "wrapper.py"), folder); out != "" {
		t.Errorf("printed %q", out)
	}
	for _, curve := range []string{"nistp256", "secp256k1"} {
		file := func(suffix string) string { return filepath.Join(folder, curve+suffix) }
		home.Run("openssl", "dgst", "-sha256", "-verify", file(".pem"), "-signature", file(".sig"), file(".msg"))
	}
}
