// SPDX-License-Identifier: Apache-2.0

package scmtest

import (
	"sync"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// RunShared tests two devices open on one piece of hardware, or on what stands
// in its place: what is done through a shows through b. Devices that a secret
// seals have to be unsealed, both of them. The test closes them.
func RunShared(t *testing.T, a, b scm.Device) {
	t.Cleanup(func() { a.Close() })
	t.Cleanup(func() { b.Close() })
	t.Run("Identity", func(t *testing.T) { sharedIdentity(t, a, b) })
	t.Run("Change", func(t *testing.T) { sharedChange(t, a, b) })
	t.Run("Replace", func(t *testing.T) { sharedReplace(t, a, b) })
	t.Run("Concurrency", func(t *testing.T) { sharedConcurrency(t, a, b) })
	t.Run("Volatile", func(t *testing.T) { sharedVolatile(t, a, b) })
	t.Run("Sealer", func(t *testing.T) { sharedSealer(t, a, b) })
	t.Run("Stamp", func(t *testing.T) { sharedStamp(t, a, b) })
}

func sharedIdentity(t *testing.T, a, b scm.Device) {
	infoA, errA := a.Info()
	infoB, errB := b.Info()
	if errA != nil || errB != nil || infoA != infoB {
		t.Errorf("Info: %v, %v; %v, %v", infoA, errA, infoB, errB)
	}
	for _, k := range keys(t, a) {
		checkSame(t, b, k)
	}
}

func sharedChange(t *testing.T, a, b scm.Device) {
	keys(t, b)
	before := b.Version()
	k := generate(t, a, scm.P256)
	made := b.Version()
	if made == before {
		t.Error("Version is the same after Generate by another")
	}
	checkSame(t, b, k)
	checkSigns(t, b, k)
	if err := a.Remove(k); err != nil {
		t.Fatal(err)
	}
	if v := b.Version(); v == made || v == before {
		t.Error("Version is an earlier one after Remove by another")
	}
	_, err := b.Sign(k.Slot, make([]byte, 32))
	wantError(t, "Sign with a key that another removed", err, scm.ErrSlotEmpty)
}

// sharedReplace checks that b neither signs with a key that it remembers nor
// removes another in its place.
func sharedReplace(t *testing.T, a, b scm.Device) {
	var last scm.Key
	for range 3 {
		k := generate(t, a, scm.P256)
		if last.Slot == k.Slot {
			wantError(t, "Remove of a key that another has replaced", b.Remove(last), scm.ErrSlotEmpty)
		}
		checkSigns(t, b, k)
		if err := a.Remove(k); err != nil {
			t.Fatal(err)
		}
		last = k
	}
}

func sharedConcurrency(t *testing.T, a, b scm.Device) {
	var group sync.WaitGroup
	for _, d := range []scm.Device{a, b, a, b} {
		group.Go(func() { churn(t, d) })
	}
	group.Wait()
	checkOrder(t, keys(t, a))
}

func sharedVolatile(t *testing.T, a, b scm.Device) {
	v, ok := a.(scm.Volatile)
	if !ok {
		t.Skip("the device is not Volatile")
	}
	k, err := v.GenerateVolatile(scm.P256)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removed(t, a, k) })
	if _, err := b.PublicKey(k.Slot); err == nil {
		t.Errorf("volatile slot %d shows elsewhere", k.Slot)
	}
}

func sharedSealer(t *testing.T, a, b scm.Device) {
	sa, okA := a.(scm.Sealer)
	sb, okB := b.(scm.Sealer)
	if !okA || !okB {
		t.Skip("the devices are no Sealers")
	}
	k := generate(t, a, scm.P256)
	for _, secret := range []string{"shared", "changed"} {
		checkSigns(t, b, k)
		seal(t, sa, []byte(secret))
		checkSigns(t, a, k)
		checkSealed(t, b, k)
		unseal(t, sb, []byte(secret))
		checkSigns(t, b, k)
	}
}
