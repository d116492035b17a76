// SPDX-License-Identifier: Apache-2.0

package apputils_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// otherwise is an SCM that does what ours does not by default.
const otherwise = `[soft]
max_num_keys = 512
user_slots = 4
max_random = 64
allocation = "next"
permanent_removable = true
serial_number = "ZK0001"
unlisted = "both"
error_code = 71
remove_empty = true
passphrase_base64 = true
`

// newHomeWith is a home with settings.
func newHomeWith(t *testing.T, settings string) *harness.Home {
	t.Helper()
	path := filepath.Join(t.TempDir(), "settings.toml")
	if err := os.WriteFile(path, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	home := newHome(t)
	home.Set("ZK_PKCS11_CONF", path)
	return home
}

func TestSettings(t *testing.T) {
	if out := newHomeWith(t, otherwise).Run(compile(t, "testdata/settings.c")); out != "" {
		t.Errorf("printed %q", out)
	}
}

// TestNotOpened checks that a program is told why zkOpen fails, which returns no more
// than a number.
func TestNotOpened(t *testing.T) {
	home := newHomeWith(t, "[soft]\nlatency = 1\n")
	out, err := home.Command(compile(t, "testdata/sealed.c")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "soft.latency") {
		t.Errorf("%v\n%s", err, out)
	}
}
