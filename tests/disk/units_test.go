// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestUnits: systemd takes the units as they are, but for the program and the page of the package, which need not be
// installed here.
func TestUnits(t *testing.T) {
	t.Parallel()
	harness.Need(t, "systemd-analyze")
	folder := t.TempDir()
	words := []string{"verify"}
	for _, name := range []string{"zk_pkcs11-disk.socket", "zk_pkcs11-disk@.service"} {
		text, err := os.ReadFile(filepath.Join(harness.Root(t), "packaging/cryptsetup", name))
		if err != nil {
			t.Fatal(err)
		}
		here := strings.ReplaceAll(string(text), "/usr/lib/cryptsetup/scripts/zk_pkcs11", keyscript(t))
		path := filepath.Join(folder, name)
		write(t, path, []byte(strings.ReplaceAll(here, "Documentation=man:libzk_pkcs11(7)\n", "")))
		words = append(words, path)
	}
	out, err := exec.Command("systemd-analyze", words...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "zk_pkcs11") {
		t.Errorf("%v\n%s", err, out)
	}
}
