// SPDX-License-Identifier: Apache-2.0

package apputils_test

import (
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
passphrase_base64 = true
`

// newHomeWith is a home with settings.
func newHomeWith(t *testing.T, settings string) *harness.Home {
	t.Helper()
	home := newHome(t)
	home.Settings(settings)
	return home
}

func TestSettings(t *testing.T) {
	if out := newHomeWith(t, otherwise).Run(compile(t, "testdata/settings.c")); out != "" {
		t.Errorf("printed %q", out)
	}
}

// TestNonce signs one digest again and again: the signatures differ unless a setting has
// the nonces made by RFC 6979.
func TestNonce(t *testing.T) {
	program := compile(t, "testdata/nonce.c")
	for settings, differ := range map[string]string{
		"": "1", "[soft]\nnonce = \"random\"\n": "1", "[soft]\nnonce = \"rfc6979\"\n": "0",
	} {
		if out := newHomeWith(t, settings).Run(program, differ); out != "" {
			t.Errorf("%q: printed %q", settings, out)
		}
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
