// SPDX-License-Identifier: Apache-2.0

package wallet_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/wallet"
)

// options leave the group of files alone, for tests of users other than root.
var options = soft.Options{Group: -1}

func open(t testing.TB, dir string, o soft.Options) *wallet.Device {
	t.Helper()
	below, err := soft.Open(dir, o)
	check(t, err)
	d := wallet.On(below)
	t.Cleanup(func() { d.Close() })
	return d
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	check(t, err)
	return b
}

// seal seals the device to a secret.
func seal(d scm.Sealer, secret []byte) error {
	if err := d.Prepare(secret); err != nil {
		return err
	}
	return d.Unseal(secret)
}

func generate(t testing.TB, d scm.Device, c scm.Curve) scm.Key {
	t.Helper()
	k, err := d.Generate(c)
	check(t, err)
	return k
}
