// SPDX-License-Identifier: Apache-2.0

package soft_test

import (
	"bytes"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
)

func TestLock(t *testing.T) {
	dir := t.TempDir()
	d, other := open(t, dir, options), open(t, dir, options)
	for _, n := range []int{0, 1, 4, 15, 16, 17, 131072} {
		plain := bytes.Repeat([]byte{0x5a}, n)
		for _, under := range []scm.LockKey{scm.OneWayKey, scm.SharedKey} {
			locked, err := d.Lock(plain, under)
			check(t, err)
			if want := 8 + (n/16+1)*16 + 64; len(locked) != want {
				t.Errorf("%d bytes become %d, want %d", n, len(locked), want)
			}
			got, err := other.Unlock(locked, under)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%d bytes come back as %d, %v", n, len(got), err)
			}
			_, err = d.Unlock(locked, scm.OneWayKey+scm.SharedKey-under)
			wantError(t, "Unlock with the other key", err, scm.ErrAuth)
		}
	}
}

// TestLockLength holds the length against that of a real module.
func TestLockLength(t *testing.T) {
	d := open(t, t.TempDir(), options)
	a, err := d.Lock([]byte{1, 2, 3, 4}, scm.OneWayKey)
	check(t, err)
	b, err := d.Lock([]byte{1, 2, 3, 4}, scm.OneWayKey)
	check(t, err)
	if len(a) != 88 || len(b) != 88 {
		t.Errorf("4 bytes become %d and %d, want 88", len(a), len(b))
	}
	if bytes.Equal(a[8:24], b[8:24]) {
		t.Error("twice the same cipher text")
	}
}

func TestUnlockTampered(t *testing.T) {
	d, stranger := open(t, t.TempDir(), options), open(t, t.TempDir(), options)
	locked, err := d.Lock([]byte("some data"), scm.OneWayKey)
	check(t, err)
	_, err = stranger.Unlock(locked, scm.OneWayKey)
	wantError(t, "Unlock by another SCM", err, scm.ErrAuth)
	for i := range locked {
		changed := bytes.Clone(locked)
		changed[i] ^= 1
		_, err := d.Unlock(changed, scm.OneWayKey)
		wantError(t, "Unlock of changed data", err, scm.ErrAuth)
		_, err = d.Unlock(locked[:i], scm.OneWayKey)
		wantError(t, "Unlock of cut data", err, scm.ErrAuth)
	}
}

// TestLockSealed checks that a secret seals the keys of Lock, too, and that they
// are the same afterwards.
func TestLockSealed(t *testing.T) {
	d := open(t, t.TempDir(), options)
	locked, err := d.Lock([]byte("data"), scm.SharedKey)
	check(t, err)
	check(t, seal(d, []byte("secret")))
	d.Forget()
	_, err = d.Lock(nil, scm.OneWayKey)
	wantError(t, "Lock", err, scm.ErrSealed)
	_, err = d.Unlock(locked, scm.SharedKey)
	wantError(t, "Unlock", err, scm.ErrSealed)
	check(t, d.Unseal([]byte("secret")))
	if got, err := d.Unlock(locked, scm.SharedKey); err != nil || string(got) != "data" {
		t.Errorf("Unlock = %q, %v", got, err)
	}
}

func TestMost(t *testing.T) {
	d := open(t, t.TempDir(), soft.Options{Group: -1, Settings: soft.Settings{MaxLock: 100, MaxRandom: 512}})
	_, err := d.Lock(make([]byte, 100), scm.OneWayKey)
	check(t, err)
	_, err = d.Lock(make([]byte, 101), scm.OneWayKey)
	wantError(t, "Lock", err, scm.ErrInput)
	check(t, d.Random(make([]byte, 512)))
	wantError(t, "Random", d.Random(make([]byte, 513)), scm.ErrInput)
}

// TestCapacity fills an SCM that has little room.
func TestCapacity(t *testing.T) {
	d := open(t, t.TempDir(), soft.Options{Group: -1, Settings: soft.Settings{UserSlots: 2}})
	if d.Capacity() != 528 {
		t.Errorf("Capacity is %d", d.Capacity())
	}
	generate(t, d, scm.P256)
	generate(t, d, scm.Ed25519)
	_, err := d.Generate(scm.P256)
	wantError(t, "Generate", err, scm.ErrFull)
	if got := open(t, t.TempDir(), soft.Options{Group: -1, Settings: soft.Settings{MaxKeys: 654}}).Capacity(); got != 654 {
		t.Errorf("Capacity is %d", got)
	}
}
