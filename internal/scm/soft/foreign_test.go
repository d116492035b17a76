// SPDX-License-Identifier: Apache-2.0

package soft_test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
)

// check fails the test at once when there is an error.
func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// generate makes a key that the test need not remove.
func generate(t testing.TB, d *soft.Device, c scm.Curve) scm.Key {
	t.Helper()
	k, err := d.Generate(c)
	check(t, err)
	return k
}

func TestForeign(t *testing.T) {
	dir := t.TempDir()
	d, other := open(t, dir, options), open(t, dir, options)
	for i, c := range scm.Curves {
		k := generate(t, d, c)
		s, err := d.StoreForeign(c, k.Public)
		if err != nil || s != scm.Slot(i) {
			t.Fatalf("StoreForeign(%s): slot %d, %v; want slot %d", c, s, err, i)
		}
		got, err := other.ForeignKey(s)
		if err != nil || got.Curve != c || !bytes.Equal(got.Public, k.Public) {
			t.Errorf("ForeignKey(%d) = %v, %v; want %v", s, got, err, k)
		}
	}
	check(t, other.RemoveForeign(1))
	wantError(t, "second RemoveForeign", d.RemoveForeign(1), scm.ErrSlotEmpty)
	_, err := d.ForeignKey(1)
	wantError(t, "ForeignKey after RemoveForeign", err, scm.ErrSlotEmpty)
	all, err := d.Foreign()
	if err != nil || len(all) != len(scm.Curves)-1 || all[1].Slot != 2 {
		t.Errorf("Foreign: %v, %v", all, err)
	}
	public, err := d.PublicKey(0)
	check(t, err)
	if s, err := d.StoreForeign(scm.P256, public.Public); err != nil || s != 1 {
		t.Errorf("StoreForeign took slot %d, %v; slot 1 is free", s, err)
	}
}

func TestForeignFull(t *testing.T) {
	d := open(t, t.TempDir(), options)
	for range scm.ForeignSlots {
		_, err := d.StoreForeign(scm.Ed25519, make([]byte, 32))
		check(t, err)
	}
	_, err := d.StoreForeign(scm.Ed25519, make([]byte, 32))
	wantError(t, "StoreForeign", err, scm.ErrFull)
}

func TestForeignErrors(t *testing.T) {
	d := open(t, t.TempDir(), options)
	for _, test := range []struct {
		name   string
		curve  scm.Curve
		public []byte
		want   error
	}{
		{"unknown curve", 9, make([]byte, 64), scm.ErrCurve},
		{"negative curve", -1, make([]byte, 64), scm.ErrCurve},
		{"too short", scm.P256, make([]byte, 63), scm.ErrInput},
		{"too long", scm.X25519, make([]byte, 33), scm.ErrInput},
		{"no point of P-256", scm.P256, bytes.Repeat([]byte{1}, 64), scm.ErrInput},
		{"no point of secp256k1", scm.Secp256k1, bytes.Repeat([]byte{1}, 64), scm.ErrInput},
	} {
		_, err := d.StoreForeign(test.curve, test.public)
		wantError(t, test.name, err, test.want)
	}
	for _, s := range []scm.Slot{-1, scm.ForeignSlots} {
		_, err := d.ForeignKey(s)
		wantError(t, "ForeignKey", err, scm.ErrSlotRange)
		wantError(t, "RemoveForeign", d.RemoveForeign(s), scm.ErrSlotRange)
	}
}

func TestDisableExport(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, options)
	k := generate(t, d, scm.P256)
	foreign, err := d.StoreForeign(scm.P256, k.Public)
	check(t, err)
	check(t, d.DisableExport(k.Slot))
	check(t, d.DisableForeignExport(foreign))
	check(t, seal(d, []byte("secret")))
	check(t, d.Close())

	d = open(t, dir, options)
	check(t, d.Unseal([]byte("secret")))
	_, err = d.PublicKey(k.Slot)
	wantError(t, "PublicKey", err, scm.ErrExport)
	_, err = d.ForeignKey(foreign)
	wantError(t, "ForeignKey", err, scm.ErrExport)
	if all, err := d.Foreign(); err != nil || len(all) != 0 {
		t.Errorf("Foreign: %v, %v", all, err)
	}
	if slots, err := d.ForeignSlots(); err != nil || !slices.Equal(slots, []scm.Slot{foreign}) {
		t.Errorf("ForeignSlots: %v, %v", slots, err)
	}
	keys, err := d.Keys()
	check(t, err)
	slots, err := d.Slots()
	check(t, err)
	if len(keys) != scm.PermanentSlots || len(slots) != scm.PermanentSlots+1 || slots[scm.PermanentSlots] != k.Slot {
		t.Errorf("%d keys and slots %v are listed", len(keys), slots)
	}
	digest := bytes.Repeat([]byte{7}, 32)
	sig, err := d.Sign(k.Slot, digest)
	check(t, err)
	if ok, err := d.Verify(k.Slot, digest, sig); !ok || err != nil {
		t.Errorf("Verify = %v, %v", ok, err)
	}
	if ok, err := d.VerifyForeign(foreign, digest, sig); !ok || err != nil {
		t.Errorf("VerifyForeign = %v, %v", ok, err)
	}
}

// TestAgreeWith agrees with keys in slots, hidden ones too: they are for use inside.
func TestAgreeWith(t *testing.T) {
	d := open(t, t.TempDir(), options)
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1, scm.X25519} {
		a, b := generate(t, d, c), generate(t, d, c)
		foreign, err := d.StoreForeign(c, b.Public)
		check(t, err)
		want, err := d.Agree(b.Slot, a.Public)
		check(t, err)
		check(t, d.DisableExport(b.Slot))
		check(t, d.DisableForeignExport(foreign))
		if got, err := d.AgreeWith(a.Slot, b.Slot); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %v; want %x", c, got, err, want)
		}
		if got, err := d.AgreeWithForeign(a.Slot, foreign); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s, foreign: %x, %v; want %x", c, got, err, want)
		}
		_, err = d.AgreeWith(a.Slot, scm.LastUser)
		wantError(t, "an empty slot", err, scm.ErrSlotEmpty)
		_, err = d.AgreeWith(scm.LastUser, a.Slot)
		wantError(t, "with an empty slot", err, scm.ErrSlotEmpty)
		_, err = d.AgreeWith(a.Slot, scm.FirstEd25519)
		wantError(t, "a key on another curve", err, scm.ErrInput)
	}
}

func TestDisableExportErrors(t *testing.T) {
	d := open(t, t.TempDir(), soft.Options{Group: -1, Settings: soft.Settings{PermanentShown: true}})
	wantError(t, "permanent", d.DisableExport(3), scm.ErrPermanent)
	wantError(t, "empty", d.DisableExport(scm.FirstUser), scm.ErrSlotEmpty)
	wantError(t, "no slot", d.DisableExport(scm.LastUser+1), scm.ErrSlotRange)
	wantError(t, "empty foreign", d.DisableForeignExport(0), scm.ErrSlotEmpty)
	wantError(t, "no foreign slot", d.DisableForeignExport(128), scm.ErrSlotRange)
	d = open(t, t.TempDir(), options)
	check(t, d.DisableExport(3))
	_, err := d.PublicKey(3)
	wantError(t, "PublicKey", err, scm.ErrExport)
}

// unhex decodes a constant.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	check(t, err)
	return b
}

// A signature that a real module made, of the SHA-256 digest of "hello world";
// its s is in the upper half.
const (
	realPublic = "6cd0b8b14963f6712877eb50a3f5afa9c0e39483e560f58eb795e634df53f399" +
		"ba370dbceb71ea87cba5e2fca4f23ef73b8e683a9946758829f76521e7a19e5a"
	realDigest    = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"
	realSignature = "28953e99dcc7f7ebf2771acae9e996e45997a212f7deba04a5974d1db6651fc8" +
		"c50f11a5e5ad24ef25bdf0dafbdb736513f618184505f469f126c7dd4557cade"
)

func TestVerifyReal(t *testing.T) {
	d := open(t, t.TempDir(), options)
	s, err := d.StoreForeign(scm.P256, unhex(t, realPublic))
	check(t, err)
	digest, sig := unhex(t, realDigest), unhex(t, realSignature)
	if ok, err := d.VerifyForeign(s, digest, sig); !ok || err != nil {
		t.Errorf("Verify = %v, %v", ok, err)
	}
	for i := range sig {
		sig[i] ^= 0x10
		if ok, err := d.VerifyForeign(s, digest, sig); ok || err != nil {
			t.Errorf("Verify with byte %d changed = %v, %v", i, ok, err)
		}
		sig[i] ^= 0x10
	}
}

func TestVerify(t *testing.T) {
	d := open(t, t.TempDir(), options)
	digest, zeros := bytes.Repeat([]byte{9}, 32), make([]byte, 64)
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1, scm.Ed25519} {
		k := generate(t, d, c)
		sig, err := d.Sign(k.Slot, digest)
		check(t, err)
		for _, test := range []struct {
			name        string
			digest, sig []byte
			want        bool
		}{
			{"right", digest, sig, true},
			{"other digest", make([]byte, 32), sig, false},
			{"zeros", digest, zeros, false},
			{"ones", digest, bytes.Repeat([]byte{255}, 64), false},
		} {
			if ok, err := d.Verify(k.Slot, test.digest, test.sig); ok != test.want || err != nil {
				t.Errorf("%s: Verify of %s signature = %v, %v", c, test.name, ok, err)
			}
		}
		_, err = d.Verify(k.Slot, digest, sig[1:])
		wantError(t, "short signature", err, scm.ErrInput)
	}
	_, err := d.Verify(0, digest[1:], zeros)
	wantError(t, "short digest", err, scm.ErrInput)
	_, err = d.Verify(generate(t, d, scm.X25519).Slot, digest, zeros)
	wantError(t, "X25519", err, scm.ErrCurve)
	_, err = d.Verify(scm.LastUser+1, digest, zeros)
	wantError(t, "no slot", err, scm.ErrSlotRange)
	_, err = d.VerifyForeign(5, digest, zeros)
	wantError(t, "empty foreign slot", err, scm.ErrSlotEmpty)
}
