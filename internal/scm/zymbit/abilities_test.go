// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestAbilitiesSurviveARestart calls what the contract knows with a dead context.
func TestAbilitiesSurviveARestart(t *testing.T) {
	f := newFake(t)
	d := f.device()
	s := mustPlant(t, f, "name")
	f.restarted = true
	locked, err := d.Lock([]byte("data"), scm.OneWayKey)
	if err != nil {
		t.Fatal(err)
	}
	f.restarted = true
	if plain, err := d.Unlock(locked, scm.OneWayKey); err != nil || string(plain) != "data" {
		t.Errorf("Unlock: %q, %v", plain, err)
	}
	f.restarted = true
	if _, err := d.Time(); err != nil {
		t.Error(err)
	}
	f.restarted = true
	if address, wallet, master, err := d.NodeAddress(s); address != "m" || wallet != "name" || master != s || err != nil {
		t.Errorf("NodeAddress: %q, %q, %d, %v", address, wallet, master, err)
	}
}

func TestLockLimits(t *testing.T) {
	d := newFake(t).device()
	_, err := d.Lock(make([]byte, maxLock+1), scm.OneWayKey)
	wantError(t, err, scm.ErrInput)
	_, err = d.Unlock(make([]byte, maxOutput+1), scm.OneWayKey)
	wantError(t, err, scm.ErrAuth)
	if _, err := d.Lock(make([]byte, maxLock), scm.OneWayKey); err != nil {
		t.Error(err)
	}
}
