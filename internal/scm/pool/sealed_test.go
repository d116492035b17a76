// SPDX-License-Identifier: Apache-2.0

package pool_test

import (
	"errors"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestSealed: a login seals the members to the token's secret, and nothing else opens them.
func TestSealed(t *testing.T) {
	r := newRig(t, 2)
	first, second := []byte("the secret of a token"), []byte("that of the next one")
	for _, secret := range [][]byte{first, second} {
		sealer := r.pool.(scm.Sealer)
		must(t, sealer.Prepare(secret))
		must(t, sealer.Unseal(secret))
		for range 4 {
			r.sign()
		}
		sealer.Forget()
		if _, err := r.pool.Sign(r.key.Slot, make([]byte, 32)); !errors.Is(err, scm.ErrSealed) {
			t.Errorf("after Forget: %v", err)
		}
		must(t, sealer.Unseal(secret))
		r.expectSealed(1, secret)
	}
	r.expectLog("error: ", 0)
	if n := r.devices[1].Calls("Sign"); n < 4 {
		t.Errorf("the member has made %d signatures", n)
	}
}

// expectSealed checks that the device of a directory opens with a secret only.
func (r *rig) expectSealed(i int, secret []byte) {
	r.t.Helper()
	d := open(r.t, r.dirs[i])
	defer d.Close()
	if err := d.Unsealed(); !errors.Is(err, scm.ErrSealed) {
		r.t.Errorf("device %d without a secret: %v", i, err)
	}
	if err := d.Unseal(secret); err != nil {
		r.t.Errorf("device %d with the token's secret: %v", i, err)
	}
}

// TestJoins: a member that nothing seals is sealed by the first login to a token that is sealed already.
func TestJoins(t *testing.T) {
	r := newRig(t, 2)
	secret := []byte("the secret of a token")
	must(t, r.devices[0].Full.Prepare(secret))
	must(t, r.devices[0].Full.Unseal(secret))
	must(t, r.pool.(scm.Sealer).Unseal(secret))
	r.expectSealed(1, secret)
	for range 4 {
		r.sign()
	}
}

// TestOpenToAll: with a first that no secret seals, the members stay open as well.
func TestOpenToAll(t *testing.T) {
	r := newRig(t, 2)
	must(t, r.pool.(scm.Sealer).Unseal([]byte("anything")))
	d := open(t, r.dirs[1])
	defer d.Close()
	must(t, d.Unsealed())
}

// TestOthers: a member that another token has sealed is left out, with the way out in the log.
func TestOthers(t *testing.T) {
	r := newRig(t, 2)
	other := r.devices[1].Full
	must(t, other.Prepare([]byte("the secret of another token")))
	must(t, other.Unseal([]byte("the secret of another token")))
	other.Forget()
	secret := []byte("the secret of this one")
	must(t, r.devices[0].Full.Prepare(secret))
	must(t, r.pool.(scm.Sealer).Unseal(secret))
	for range 4 {
		r.sign()
	}
	r.expectLog("error: ", 1)
	r.expectSealed(1, []byte("the secret of another token"))
}

// TestLogoutMeanwhile: a member that a logout seals under a signature has not failed.
func TestLogoutMeanwhile(t *testing.T) {
	r := newRig(t, 2)
	sealer, secret := r.pool.(scm.Sealer), []byte("the secret of a token")
	must(t, sealer.Prepare(secret))
	must(t, sealer.Unseal(secret))
	r.devices[1].Before("Sign", func(int) error {
		sealer.Forget()
		return nil
	})
	for range 2 { // one of them is the member's
		if _, err := r.pool.Sign(r.key.Slot, make([]byte, 32)); err != nil && !errors.Is(err, scm.ErrSealed) {
			t.Errorf("after the logout: %v", err)
		}
	}
	r.expectLog("error: ", 0)
}
