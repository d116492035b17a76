// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// commands are blocks of commands on a page.
var commands = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// TestPage: the commands of the page work, one after the other in one shell.
func TestPage(t *testing.T) {
	t.Parallel()
	harness.Need(t, "cryptsetup", "bash")
	page, err := os.ReadFile(filepath.Join(harness.Root(t), "docs/disk-unlock.md"))
	if err != nil {
		t.Fatal(err)
	}
	script := "set -o pipefail\n"
	for _, b := range commands.FindAllStringSubmatch(string(page), -1) {
		script += b[1]
	}
	home := harness.NewHome(t)
	home.Set("PATH", filepath.Dir(harness.Build(t, "zk_pkcs11-util"))+":"+os.Getenv("PATH"))
	home.Set("TMPDIR", t.TempDir())
	home.Set("KEYSCRIPT", keyscript(t))
	if out := home.Run("bash", "-euc", script); !strings.HasSuffix(out, "it opens\n") {
		t.Errorf("the commands of the page print\n%s", out)
	}
}
