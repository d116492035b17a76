// SPDX-License-Identifier: Apache-2.0

package scmtest

import (
	"bytes"
	"math"
	"testing"

	"libzk_pkcs11/internal/scm"
)

func testLocker(t *testing.T, d scm.Device) {
	l, ok := d.(scm.Locker)
	if !ok {
		t.Skip("the device is no Locker")
	}
	for _, n := range []int{1, 16, 1000} {
		plain := bytes.Repeat([]byte{0xc3}, n)
		for _, under := range []scm.LockKey{scm.OneWayKey, scm.SharedKey} {
			checkLocks(t, l, plain, under)
		}
	}
}

func checkLocks(t *testing.T, l scm.Locker, plain []byte, under scm.LockKey) {
	t.Helper()
	locked, err := l.Lock(plain, under)
	if err != nil {
		t.Fatalf("Lock: %v", err)
	}
	if bytes.Contains(locked, plain) && len(plain) > 4 {
		t.Error("the data is to be seen in what is locked")
	}
	if got, err := l.Unlock(locked, under); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("Unlock = %x, %v; want %x", got, err, plain)
	}
	_, err = l.Unlock(locked, scm.OneWayKey+scm.SharedKey-under)
	wantError(t, "Unlock with the other key", err, scm.ErrAuth)
	locked[len(locked)/2] ^= 1
	_, err = l.Unlock(locked, under)
	wantError(t, "Unlock of changed data", err, scm.ErrAuth)
}

func testKeeper(t *testing.T, d scm.Device) {
	k, ok := d.(scm.Keeper)
	if !ok {
		t.Skip("the device is no Keeper")
	}
	for _, own := range keys(t, d)[:2] {
		s, err := k.StoreForeign(own.Curve, own.Public)
		if err != nil {
			t.Fatalf("StoreForeign: %v", err)
		}
		got, err := k.ForeignKey(s)
		if err != nil || got.Slot != s || got.Curve != own.Curve || !bytes.Equal(got.Public, own.Public) {
			t.Errorf("ForeignKey(%d) = %v, %v; want %v", s, got, err, own)
		}
		all, err := k.Foreign()
		if err != nil || find(all, s) < 0 {
			t.Errorf("Foreign = %v, %v; want slot %d in it", all, err, s)
		}
		if err := k.RemoveForeign(s); err != nil {
			t.Errorf("RemoveForeign: %v", err)
		}
		_, err = k.ForeignKey(s)
		wantError(t, "ForeignKey of a removed key", err, scm.ErrSlotEmpty)
	}
	for _, s := range []scm.Slot{-1, scm.ForeignSlots, math.MaxInt32} {
		_, err := k.ForeignKey(s)
		wantError(t, "ForeignKey", err, scm.ErrSlotRange)
		wantError(t, "RemoveForeign", k.RemoveForeign(s), scm.ErrSlotRange)
	}
	_, err := k.StoreForeign(scm.P256, make([]byte, 64))
	wantError(t, "StoreForeign of no key", err, scm.ErrInput)
}

func testWallet(t *testing.T, d scm.Device) {
	w, ok := d.(scm.Wallet)
	if !ok {
		t.Skip("the device has no wallets")
	}
	_, _, _, err := w.NodeAddress(0)
	wantError(t, "NodeAddress of a permanent key", err, scm.ErrInput)
	_, _, _, err = w.NodeAddress(scm.LastUser + 1)
	wantError(t, "NodeAddress", err, scm.ErrSlotRange)
}

func testClock(t *testing.T, d scm.Device) {
	c, ok := d.(scm.Clock)
	if !ok {
		t.Skip("the device has no clock")
	}
	before, err := c.Time()
	if err != nil {
		t.Fatal(err)
	}
	after, err := c.NextSecond()
	if err != nil {
		t.Fatal(err)
	}
	if after <= before {
		t.Errorf("the second that begins after %d is %d", before, after)
	}
}
