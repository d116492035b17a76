// SPDX-License-Identifier: Apache-2.0

package util

import (
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestHiddenKeys: where sealed_keys is false the list says which keys it hides, and none is renamed or deleted by half.
func TestHiddenKeys(t *testing.T) {
	t.Parallel()
	harness.Need(t, "openssl")
	x := newKeyTool(t)
	x.judge("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out " + x.file("server.pem"))
	x.user("--import " + x.file("server.pem") + " --label server --id 0a01")
	x.user("key generate --type p256 --label slot --id 0a02")
	before := x.user("key list --label server --json")
	x.home.Set("ZK_PKCS11_SEALED_KEYS", "false")
	out, errs := x.mustRun("", words("key list --token web")...)
	for label, place := range map[string]string{"server": "sealed, hidden", "slot": "key slot 16"} {
		if line := lineWith(out, label+" "); !strings.Contains(line, place+" ") {
			t.Errorf("%q is not in the line %q of\n%s", place, line, out)
		}
	}
	if !strings.Contains(errs, "sealed_keys = false hides sealed keys from programs") {
		t.Errorf("nothing is said of the setting but %q", errs)
	}
	hidden := `sealed_keys = false hides the private half of the key "server"`
	x.refuses("", "key rename --label server --to-label server9", hidden, "would be renamed; set sealed_keys to true")
	x.refuses("", "key delete --yes --label server", hidden, "would be deleted; set sealed_keys to true")
	x.refuses("", "key csr --label server --subject CN=x", hidden, "nothing is signed without it; set sealed_keys to true")
	if _, errs, err := x.run("", words("snippet nginx --label server")...); err == nil || !strings.Contains(errs, hidden+": no program finds it; set sealed_keys to true") {
		t.Errorf("of a snippet it says %v, %q", err, errs)
	}
	x.user("key rename --label slot --to-label slot9")
	x.home.Set("ZK_PKCS11_SEALED_KEYS", "true")
	if after := x.user("key list --label server --json"); after != before {
		t.Errorf("the key was\n%s\nand is\n%s", before, after)
	}
	x.user("key rename --label server --to-label server9")
}

// lineWith returns the line of a text that begins with a word.
func lineWith(text, start string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, start) {
			return line
		}
	}
	return ""
}
