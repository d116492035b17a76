// SPDX-License-Identifier: Apache-2.0

package apputils_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSealed checks what becomes of the keys of a token with PINs, and that the
// reason is logged once.
func TestSealed(t *testing.T) {
	home := newHome(t)
	home.Init()
	out := home.Run(compile(t, "testdata/sealed.c"))
	if strings.Count(out, "\n") != 1 || !strings.Contains(out, `soft.seal = "device"`) {
		t.Errorf("logged %q, want one line with the setting", out)
	}
}

// TestNotOpened checks that a program is told why zkOpen fails, which returns no more
// than a number.
func TestNotOpened(t *testing.T) {
	home := newHome(t)
	settings := filepath.Join(t.TempDir(), "settings.toml")
	if err := os.WriteFile(settings, []byte("[soft]\nlatency = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	home.Set("ZK_PKCS11_CONF", settings)
	out, err := home.Command(compile(t, "testdata/sealed.c")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "soft.latency") {
		t.Errorf("%v\n%s", err, out)
	}
}
