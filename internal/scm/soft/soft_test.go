// SPDX-License-Identifier: Apache-2.0

package soft_test

import (
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft"
)

// options leave the group of files alone, for tests of users other than root.
var options = soft.Options{Group: -1}

func open(t testing.TB, dir string, o soft.Options) *soft.Device {
	t.Helper()
	d, err := soft.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestContract(t *testing.T) {
	scmtest.Run(t, func(t *testing.T) scm.Device {
		return open(t, t.TempDir(), options)
	}, scmtest.Options{})
}

func TestContractSealDevice(t *testing.T) {
	scmtest.Run(t, func(t *testing.T) scm.Device {
		return open(t, t.TempDir(), soft.Options{Group: -1, Seal: soft.SealDevice})
	}, scmtest.Options{KeepsOpen: true, SkipFull: "filled with the other way of sealing"})
}

func TestContractSealed(t *testing.T) {
	scmtest.Run(t, func(t *testing.T) scm.Device {
		d := open(t, t.TempDir(), options)
		if err := d.Seal([]byte("at first")); err != nil {
			t.Fatal(err)
		}
		return d
	}, scmtest.Options{SkipFull: "filled without a secret"})
}

func TestShared(t *testing.T) {
	dir := t.TempDir()
	scmtest.RunShared(t, open(t, dir, options), open(t, dir, options))
}
