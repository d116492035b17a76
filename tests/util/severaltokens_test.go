// SPDX-License-Identifier: Apache-2.0

package util

import (
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// twoSlots are settings by which a second token stands over the same SCM: the first keeps its place and shows all keys.
const twoSlots = `
[[slot]]
name = "web"
state = "."

[[slot]]
name = "ca"
show = "bound"
`

// TestSeveralTokens has two tokens over one SCM by the vendor's API, each with PINs and objects of its own. The second one
// shows the keys that are bound to it, and its initialisation destroys no other.
func TestSeveralTokens(t *testing.T) {
	harness.Need(t, "pkcs11-tool")
	t.Parallel()
	x := newAnyTool(t, "")
	x.home.Set("ZK_PKCS11_BACKEND", "zymbit")
	x.home.Set("ZK_APP_UTILS_LIB", harness.Build(t, "libzk_app_utils.so"))
	x.mustRun("", words("--init-token --slot 0 --label web --pin 12345678 --so-pin 87654321")...)
	x.mustRun("", words("--use-zkslot 0 --token web --label www --id 0001 --pin 12345678")...)
	x.home.Settings(twoSlots)
	if out, _ := x.mustRun("", words("--init-token --free --label ca --pin 11112222 --so-pin 87654321")...); !strings.Contains(out, "is in slot 1") {
		t.Errorf("the free slot: %s", out)
	}
	x.mustRun("", words("token bind 2 --token ca --pin 11112222")...)
	x.mustRun("", words("key generate --label made --token ca --pin 11112222")...)
	x.showsKeys("ca", "11112222", "SCM slot 2", "made")
	x.mustRun("", words("--init-token --token ca --label ca --pin 11112222 --so-pin 87654321 --yes")...)
	x.showsKeys("ca", "11112222")
	if out := x.privateKeys("web", "12345678"); strings.Count(out, "Private Key Object") != 16 || !strings.Contains(out, "www") {
		t.Errorf("the first token shows\n%s", out)
	}
	if _, errs, err := x.run("", words("--init-token --free --label third --pin 1234 --so-pin 1234")...); err == nil || !strings.Contains(errs, "no slot is free") {
		t.Errorf("with no slot free: %v, %s", err, errs)
	}
}

// privateKeys lists what a program sees of a token's private keys.
func (x *tool) privateKeys(token, pin string) string {
	x.t.Helper()
	return x.home.Run("pkcs11-tool", "--module", harness.Build(x.t, "libzk_pkcs11.so"), "--token-label", token, "--login", "--pin", pin,
		"--list-objects", "--type", "privkey")
}

// showsKeys checks that a token shows private keys with these labels and no others.
func (x *tool) showsKeys(token, pin string, labels ...string) {
	x.t.Helper()
	out := x.privateKeys(token, pin)
	for _, label := range labels {
		if !strings.Contains(out, label) {
			x.t.Errorf("token %s does not show %q but\n%s", token, label, out)
		}
	}
	if n := strings.Count(out, "Private Key Object"); n != len(labels) {
		x.t.Errorf("token %s shows %d private keys, want %d:\n%s", token, n, len(labels), out)
	}
}
