// SPDX-License-Identifier: Apache-2.0

package util

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// runHere is a block of commands on a page that is run in this folder.
var runHere = regexp.MustCompile("(?ms)^<!-- run by tests/util -->\n```sh\n(.*?)^```$")

// TestFromVendorsModule types what guides for the vendor's module type, as docs/from-zkpkcs11.md has it. Scripts look for a slot's
// ID as all the digits that --init-token prints.
func TestFromVendorsModule(t *testing.T) {
	harness.Need(t, "bash", "pkcs11-tool")
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(harness.Root(t), "docs/from-zkpkcs11.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := runHere.FindSubmatch(page)
	if lines == nil {
		t.Fatal("no commands on the page")
	}
	home := harness.NewHome(t)
	home.Set("PATH", filepath.Dir(harness.Build(t, "zk_pkcs11-util"))+":"+os.Getenv("PATH"))
	home.Set("MODULE", harness.Module(t))
	out := home.Run("bash", "-euc", string(lines[1]))
	for _, part := range []string{"is in slot 0\n", "label:      iotkey\n", "label:      cakey\n", "ID:         0002\n", "is deleted"} {
		if !strings.Contains(out, part) {
			t.Errorf("%q is not in\n%s", part, out)
		}
	}
}
