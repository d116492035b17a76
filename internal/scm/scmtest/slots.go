// SPDX-License-Identifier: Apache-2.0

package scmtest

import (
	"bytes"
	"math"
	"testing"

	"libzk_pkcs11/internal/scm"
)

func testInfo(t *testing.T, d scm.Device) {
	first, err := d.Info()
	if err != nil {
		t.Fatal(err)
	}
	if first.Model == "" || first.Manufacturer == "" || first.Firmware == "" {
		t.Errorf("empty field in %+v", first)
	}
	if n := len(first.Serial); n == 0 || n > 16 {
		t.Errorf("serial %q has %d characters", first.Serial, n)
	}
	for _, s := range []string{first.Model, first.Manufacturer, first.Serial, first.Firmware} {
		if i := bytes.IndexFunc([]byte(s), func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
			t.Errorf("%q is not plain ASCII", s)
		}
	}
	if again, err := d.Info(); err != nil || again != first {
		t.Errorf("second Info: %+v, %v; first %+v", again, err, first)
	}
}

func testPermanent(t *testing.T, d scm.Device) {
	all := keys(t, d)
	for s := range scm.Slot(scm.PermanentSlots) {
		i := find(all, s)
		if i < 0 {
			t.Errorf("no key in slot %d", s)
			continue
		}
		if got, want := all[i].Curve, scm.PermanentCurve(s); got != want {
			t.Errorf("slot %d: %s, want %s", s, got, want)
		}
		wantError(t, "Remove of a permanent slot", d.Remove(scm.Key{Slot: s}), scm.ErrPermanent)
	}
	if got := keys(t, d); len(got) != len(all) {
		t.Errorf("%d keys after attempts to remove permanent ones, %d before", len(got), len(all))
	}
}

func testKeys(t *testing.T, d scm.Device) {
	curves(t, d, generates, func(t *testing.T, c scm.Curve) {
		k := generate(t, d, c)
		all := keys(t, d)
		checkOrder(t, all)
		if find(all, k.Slot) < 0 {
			t.Errorf("new key in slot %d is not listed", k.Slot)
		}
		for _, listed := range all {
			checkSame(t, d, listed)
		}
	})
}

// checkOrder checks the form of a list of keys.
func checkOrder(t *testing.T, all []scm.Key) {
	t.Helper()
	seen := make(map[string]scm.Slot)
	for i, k := range all {
		if i > 0 && k.Slot <= all[i-1].Slot {
			t.Errorf("slot %d stands after slot %d", k.Slot, all[i-1].Slot)
		}
		if !k.Slot.Permanent() && !k.Slot.User() {
			t.Errorf("slot %d is listed", k.Slot)
		}
		if len(k.Public) != k.Curve.PublicSize() {
			t.Errorf("slot %d: public key of %d bytes on %s", k.Slot, len(k.Public), k.Curve)
		}
		if other, twice := seen[string(k.Public)]; twice {
			t.Errorf("slots %d and %d hold the same key", other, k.Slot)
		}
		seen[string(k.Public)] = k.Slot
	}
}

// checkSame checks that PublicKey answers k.
func checkSame(t *testing.T, d scm.Device, k scm.Key) {
	t.Helper()
	got, err := d.PublicKey(k.Slot)
	if err != nil || got.Slot != k.Slot || got.Curve != k.Curve || !bytes.Equal(got.Public, k.Public) {
		t.Errorf("PublicKey(%d) = %v, %v; want %v", k.Slot, got, err, k)
	}
}

func testLowestFreeSlot(t *testing.T, d scm.Device) {
	var made []scm.Key
	for range 3 {
		want := lowestFree(keys(t, d))
		k := generate(t, d, scm.P256)
		if k.Slot != want {
			t.Fatalf("Generate took slot %d, want %d", k.Slot, want)
		}
		made = append(made, k)
	}
	hole := made[1]
	if err := d.Remove(hole); err != nil {
		t.Fatal(err)
	}
	_, err := d.PublicKey(hole.Slot)
	wantError(t, "PublicKey of a removed key", err, scm.ErrSlotEmpty)
	_, err = d.Sign(hole.Slot, make([]byte, 32))
	wantError(t, "Sign with a removed key", err, scm.ErrSlotEmpty)
	wantError(t, "second Remove", d.Remove(hole), scm.ErrSlotEmpty)

	again := generate(t, d, scm.P256)
	if again.Slot != hole.Slot {
		t.Errorf("Generate took slot %d, want the free slot %d", again.Slot, hole.Slot)
	}
	if bytes.Equal(again.Public, hole.Public) {
		t.Error("the slot holds the removed key again")
	}
}

// testRemoveAnother checks that a key in the place of the one that is to go stays.
func testRemoveAnother(t *testing.T, d scm.Device) {
	k := generate(t, d, scm.P256)
	checkOnlyThis(t, d, k)
	if err := d.Remove(scm.Key{Slot: k.Slot}); err != nil {
		t.Errorf("Remove of whatever is in slot %d: %v", k.Slot, err)
	}
	_, err := d.PublicKey(k.Slot)
	wantError(t, "PublicKey of a removed key", err, scm.ErrSlotEmpty)
}

// checkOnlyThis checks that a removal of another key in its slot leaves k alone.
func checkOnlyThis(t *testing.T, d scm.Device, k scm.Key) {
	t.Helper()
	other := k
	other.Public = bytes.Clone(k.Public)
	other.Public[0] ^= 1
	wantError(t, "Remove of another key than the slot holds", d.Remove(other), scm.ErrSlotEmpty)
	checkSame(t, d, k)
}

// lowestFree is what the next Generate takes, 0 when all slots are taken.
func lowestFree(all []scm.Key) scm.Slot {
	for s := scm.FirstUser; s <= scm.LastUser; s++ {
		if find(all, s) < 0 {
			return s
		}
	}
	return 0
}

func testFull(t *testing.T, d scm.Device, o Options) {
	if o.SkipFull != "" {
		t.Skip(o.SkipFull)
	}
	for lowestFree(keys(t, d)) != 0 {
		generate(t, d, scm.P256)
	}
	if n := len(keys(t, d)); n != scm.PermanentSlots+scm.UserSlots {
		t.Errorf("full device lists %d keys", n)
	}
	_, err := d.Generate(scm.P256)
	wantError(t, "Generate on a full device", err, scm.ErrFull)
	if err := d.Remove(scm.Key{Slot: scm.LastUser}); err != nil {
		t.Fatal(err)
	}
	if k := generate(t, d, scm.P256); k.Slot != scm.LastUser {
		t.Errorf("Generate took slot %d, only %d was free", k.Slot, scm.LastUser)
	}
}

func testSlotErrors(t *testing.T, d scm.Device) {
	agreer, _ := d.(scm.Agreer)
	peer := keys(t, d)[0].Public
	for _, s := range []scm.Slot{math.MinInt, math.MinInt32, scm.LastUser + 1, math.MaxInt32, math.MaxInt} {
		_, err := d.PublicKey(s)
		wantError(t, "PublicKey", err, scm.ErrSlotRange)
		_, err = d.Sign(s, make([]byte, 32))
		wantError(t, "Sign", err, scm.ErrSlotRange)
		wantError(t, "Remove", d.Remove(scm.Key{Slot: s}), scm.ErrSlotRange)
		if agreer != nil {
			_, err = agreer.Agree(s, peer)
			wantError(t, "Agree", err, scm.ErrSlotRange)
		}
	}
}

func testCurveErrors(t *testing.T, d scm.Device) {
	for _, c := range []scm.Curve{-1, scm.X25519 + 1, math.MinInt, math.MaxInt} {
		_, err := d.Generate(c)
		wantError(t, "Generate on an unknown curve", err, scm.ErrCurve)
	}
}

// testResults checks that the caller owns what it gets.
func testResults(t *testing.T, d scm.Device) {
	for range 2 {
		all := keys(t, d)
		checkSame(t, d, all[0])
		one, err := d.PublicKey(all[0].Slot)
		if err != nil {
			t.Fatal(err)
		}
		clear(one.Public)
		clear(all[0].Public)
	}
}

func testVersion(t *testing.T, d scm.Device) {
	keys(t, d)
	before := d.Version()
	keys(t, d)
	if _, err := d.Sign(0, make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	if d.Version() != before {
		t.Error("Version changed although nothing else did")
	}
	k := generate(t, d, scm.P256)
	made := d.Version()
	if made == before {
		t.Error("Version is the same after Generate")
	}
	if err := d.Remove(k); err != nil {
		t.Fatal(err)
	}
	if v := d.Version(); v == made || v == before {
		t.Error("Version after Remove is an earlier one")
	}
}
