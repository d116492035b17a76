// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Provider returns the file of pkcs11-provider, and skips the test where there is
// none. The variable OPENSSL_MODULES names another folder than OpenSSL's own.
func Provider(t testing.TB) string {
	t.Helper()
	folder := os.Getenv("OPENSSL_MODULES")
	if folder == "" {
		out, err := exec.Command("openssl", "version", "-m").Output()
		if err != nil {
			t.Fatal(err)
		}
		_, folder, _ = strings.Cut(string(out), ": ")
		folder = strings.Trim(folder, "\"\n")
	}
	file := filepath.Join(folder, "pkcs11.so")
	if _, err := os.Stat(file); err != nil {
		t.Skipf("pkcs11-provider, which is in the backports of Debian 12, is not installed: %v", err)
	}
	return file
}
