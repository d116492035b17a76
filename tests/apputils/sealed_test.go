// SPDX-License-Identifier: Apache-2.0

package apputils_test

import (
	"strings"
	"testing"
)

// TestSealed checks what becomes of the keys of a token with PINs, and that the
// reason is logged once.
func TestSealed(t *testing.T) {
	home := newHome(t)
	home.Set("ZK_PKCS11_BACKEND", "soft") // of the token's PINs: the vendor's C API knows none
	home.Init()
	out := home.Run(compile(t, "testdata/sealed.c"))
	if strings.Count(out, "\n") != 1 || !strings.Contains(out, `soft.seal = "device"`) {
		t.Errorf("logged %q, want one line with the setting", out)
	}
}
