// SPDX-License-Identifier: Apache-2.0

package scmtest

import (
	"bytes"
	"math"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// GenerateAt makes a key pair in a slot.
func GenerateAt(d scm.Placer, s scm.Slot, c scm.Curve) (scm.Key, error) {
	draft, err := d.Draft(c)
	if err != nil {
		return scm.Key{}, err
	}
	defer draft.Discard()
	return draft.Place(s)
}

func testPlacer(t *testing.T, d scm.Device) {
	p, ok := d.(scm.Placer)
	if !ok {
		t.Skip("the device is no Placer")
	}
	for _, s := range []scm.Slot{math.MinInt, scm.FirstVolatile, scm.EphemeralSlot, scm.LastUser + 1, math.MaxInt} {
		_, err := GenerateAt(p, s, scm.P256)
		wantError(t, "Place", err, scm.ErrSlotRange)
	}
	_, err := GenerateAt(p, scm.LastPermanent, scm.P256)
	wantError(t, "Place in a permanent slot", err, scm.ErrSlotTaken)
	_, err = p.Draft(-1)
	wantError(t, "Draft on an unknown curve", err, scm.ErrCurve)

	taken := generate(t, d, scm.P256)
	_, err = GenerateAt(p, taken.Slot, scm.P256)
	wantError(t, "Place in a used slot", err, scm.ErrSlotTaken)
	checkSame(t, d, taken)

	want := highestFree(keys(t, d))
	k, err := GenerateAt(p, want, scm.P256)
	if err != nil || k.Slot != want {
		t.Fatalf("a draft was placed in slot %d: %v, %v", want, k, err)
	}
	t.Cleanup(func() { removed(t, d, k) })
	checkSame(t, d, k)
	checkSigns(t, d, k)
}

// testDraft checks that a draft is nowhere before it is placed, and is then the key that it
// was said to be.
func testDraft(t *testing.T, d scm.Device) {
	p, ok := d.(scm.Placer)
	if !ok {
		t.Skip("the device is no Placer")
	}
	curves(t, d, generates, func(t *testing.T, c scm.Curve) {
		before := len(keys(t, d))
		draft, err := p.Draft(c)
		if err != nil {
			t.Fatal(err)
		}
		defer draft.Discard()
		if n := len(keys(t, d)); n != before {
			t.Errorf("%d keys with a draft, %d without", n, before)
		}
		s, err := p.Free(func(s scm.Slot) bool { return s > 200 })
		if err != nil || s <= 200 {
			t.Fatalf("Free returns slot %d, %v", s, err)
		}
		k, err := draft.Place(s)
		if err != nil || k.Slot != s || k.Curve != c || !bytes.Equal(k.Public, draft.Public()) {
			t.Fatalf("Place(%d) = %v, %v", s, k, err)
		}
		t.Cleanup(func() { removed(t, d, k) })
		checkSame(t, d, k)
	})
}

func testFree(t *testing.T, d scm.Device) {
	p, ok := d.(scm.Placer)
	if !ok {
		t.Skip("the device is no Placer")
	}
	s, err := p.Free(func(scm.Slot) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	if k := generate(t, d, scm.P256); k.Slot != s {
		t.Errorf("Free returns slot %d, Generate takes %d", s, k.Slot)
	}
	if now, err := p.Free(func(wanted scm.Slot) bool { return wanted <= s }); err == nil && now >= s {
		t.Errorf("Free returns slot %d, which is in use", now)
	}
	_, err = p.Free(func(scm.Slot) bool { return false })
	wantError(t, "Free of no slot", err, scm.ErrFull)
}

func highestFree(all []scm.Key) scm.Slot {
	s := scm.LastUser
	for find(all, s) >= 0 {
		s--
	}
	return s
}

func testVolatile(t *testing.T, d scm.Device) {
	v, ok := d.(scm.Volatile)
	if !ok {
		t.Skip("the device is not Volatile")
	}
	before := len(keys(t, d))
	seen := make(map[scm.Slot]bool)
	curves(t, d, generates, func(t *testing.T, c scm.Curve) {
		for range 3 {
			checkVolatile(t, d, v, c, seen)
		}
	})
	if n := len(keys(t, d)); n != before {
		t.Errorf("%d keys are listed, %d before", n, before)
	}
	_, err := v.GenerateVolatile(-1)
	wantError(t, "GenerateVolatile on an unknown curve", err, scm.ErrCurve)
}

// checkVolatile takes a volatile key through its life. The slot must not be in
// seen, and is put there.
func checkVolatile(t *testing.T, d scm.Device, v scm.Volatile, c scm.Curve, seen map[scm.Slot]bool) {
	t.Helper()
	k, err := v.GenerateVolatile(c)
	if err != nil {
		t.Fatal(err)
	}
	if !k.Slot.Volatile() || seen[k.Slot] {
		t.Errorf("slot %d is not volatile, or was in use before", k.Slot)
	}
	seen[k.Slot] = true
	checkSame(t, d, k)
	checkUse(t, d, k)
	checkOnlyThis(t, d, k)
	checkHeritable(t, d, k)
	if err := d.Remove(k); err != nil {
		t.Errorf("Remove(%d): %v", k.Slot, err)
	}
	_, err = d.Sign(k.Slot, make([]byte, 32))
	wantError(t, "Sign with a removed key", err, scm.ErrSlotEmpty)
	wantError(t, "second Remove", d.Remove(k), scm.ErrSlotEmpty)
}

// checkHeritable takes a volatile key out and puts it back, as a forked child does.
func checkHeritable(t *testing.T, d scm.Device, k scm.Key) {
	t.Helper()
	h, ok := d.(scm.Heritable)
	if !ok {
		return
	}
	secret, err := h.VolatileSecret(k.Slot)
	if err != nil {
		t.Errorf("VolatileSecret(%d): %v", k.Slot, err)
	}
	wantError(t, "a key in a slot that is taken", h.AdoptVolatile(k, secret), scm.ErrSlotTaken)
	if err := d.Remove(k); err != nil {
		t.Errorf("Remove(%d): %v", k.Slot, err)
	}
	other := k
	other.Public = make([]byte, len(k.Public))
	wantError(t, "a key with another public half", h.AdoptVolatile(other, secret), scm.ErrInput)
	if err := h.AdoptVolatile(k, secret); err != nil {
		t.Errorf("AdoptVolatile(%d): %v", k.Slot, err)
	}
	checkUse(t, d, k)
}

// checkUse signs and agrees with k as far as the device can.
func checkUse(t *testing.T, d scm.Device, k scm.Key) {
	t.Helper()
	able := capability(d, k.Curve)
	if able.Sign {
		checkSigns(t, d, k)
	}
	if a, ok := d.(scm.Agreer); ok && able.Agree {
		checkAgrees(t, a, k)
	}
}
