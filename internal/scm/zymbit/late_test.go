// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestLate has the module do what it was asked for while the library gives up: the key is
// taken, and nothing is left that nobody knows of.
func TestLate(t *testing.T) {
	w := scm.WalletSeed{Curve: scm.Secp256k1, Name: "late"}
	for name, test := range map[string]struct {
		late string // call
		keys int    // user slots in use afterwards
		do   func(t *testing.T, d *Device) error
	}{
		"a key":    {"generate", 1, func(t *testing.T, d *Device) error { _, err := d.Generate(scm.P256); return err }},
		"a wallet": {"newSeed", 1, func(t *testing.T, d *Device) error { _, err := d.GenerateSeed(w); return err }},
		"a lost wallet": {"newSeed", 0, func(t *testing.T, d *Device) error {
			_, _, err := d.GenerateSeedBIP39(w)
			wantError(t, err, scm.ErrTimeout)
			return nil
		}},
		"a foreign key":  {"storeForeign", 0, func(t *testing.T, d *Device) error { return storesForeign(t, d) }},
		"a child":        {"child", 2, func(t *testing.T, d *Device) error { return derives(t, d, w) }},
		"a removed key":  {"remove", 0, func(t *testing.T, d *Device) error { return d.Remove(mustGenerate(t, d, scm.P256)) }},
		"a foreign gone": {"removeForeign", 0, func(t *testing.T, d *Device) error { return removesForeign(t, d) }},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			d := f.device()
			hasKey(t, d, 0)
			f.late = test.late
			wantError(t, test.do(t, d), nil)
			f.late = ""
			slots, err := f.Slots()
			if err != nil || len(slots) != scm.PermanentSlots+test.keys {
				t.Errorf("slots %v, %v", slots, err)
			}
			for _, k := range mustKeys(t, d) {
				if _, err := d.Sign(k.Slot, make([]byte, 32)); err != nil {
					t.Errorf("slot %d: %v", k.Slot, err)
				}
			}
		})
	}
}

func mustKeys(t *testing.T, d *Device) []scm.Key {
	t.Helper()
	keys, err := d.Keys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func storesForeign(t *testing.T, d *Device) error {
	public := mustKeys(t, d)[0].Public
	s, err := d.StoreForeign(scm.P256, public)
	if err != nil {
		return err
	}
	_, err = d.ForeignKey(s)
	return err
}

func removesForeign(t *testing.T, d *Device) error {
	s, err := d.StoreForeign(scm.P256, mustKeys(t, d)[0].Public)
	if err != nil {
		return err
	}
	return d.RemoveForeign(s)
}

func derives(t *testing.T, d *Device, w scm.WalletSeed) error {
	s, err := d.GenerateSeed(w)
	if err != nil {
		return err
	}
	_, _, err = d.ChildKey(s, scm.Child{Index: 7})
	return err
}

// TestLateBesideOthers: with two new keys nobody knows which of them it is. Both stay, unless
// a device has noted that one is its own.
func TestLateBesideOthers(t *testing.T) {
	f := newFake(t)
	d := f.device()
	hasKey(t, d, 0)
	f.late, f.beside = "generate", 1
	_, err := d.Generate(scm.P256)
	wantError(t, err, scm.ErrTimeout)
	slots, err := f.Slots()
	if err != nil || len(slots) != scm.PermanentSlots+2 {
		t.Errorf("slots %v, %v", slots, err)
	}
}

// TestNothingLate: a key that was not made is not looked for for ever, and that of others is
// not taken.
func TestNothingLate(t *testing.T) {
	f := newFake(t)
	d := f.device()
	other, err := f.Generate(scm.P256)
	wantError(t, err, nil)
	f.failures = []error{nil, errTimeout}
	_, err = d.Generate(scm.P256)
	wantError(t, err, scm.ErrTimeout)
	if !hasKey(t, d, other.Slot) {
		t.Error("the key of another program is gone")
	}
}
