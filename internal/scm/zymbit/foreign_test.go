// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestForeignCurves stores a key on each curve, and reads them where they were
// stored and elsewhere.
func TestForeignCurves(t *testing.T) {
	f := newFake(t)
	d := f.device()
	for _, c := range scm.Curves {
		own := mustGenerate(t, d, c)
		s, err := d.StoreForeign(c, own.Public)
		if err != nil {
			t.Fatal(err)
		}
		if k, err := d.ForeignKey(s); err != nil || k.Curve != c {
			t.Errorf("%s: %v, %v", c, k, err)
		}
		if c == scm.X25519 {
			continue // others cannot tell it from Ed25519 half of the time
		}
		if k, err := f.device().ForeignKey(s); err != nil || k.Curve != c {
			t.Errorf("elsewhere, %s: %v, %v", c, k, err)
		}
	}
}

func TestForeignCalls(t *testing.T) {
	f := newFake(t)
	d := f.device()
	k := mustGenerate(t, d, scm.P256)
	if _, err := d.StoreForeign(scm.P256, k.Public); err != nil {
		t.Fatal(err)
	}
	read := func() {
		if keys, err := d.Foreign(); err != nil || len(keys) != 1 {
			t.Errorf("%v, %v", keys, err)
		}
	}
	read()
	if n := f.count(read); n != 0 {
		t.Errorf("reading known keys: %d calls", n)
	}
	f.restarted = true
	d.forget()
	read()
}

func TestForeignFull(t *testing.T) {
	f := newFake(t)
	d := f.device()
	k := mustGenerate(t, d, scm.P256)
	for range scm.ForeignSlots {
		if _, err := d.StoreForeign(scm.P256, k.Public); err != nil {
			t.Fatal(err)
		}
	}
	_, err := d.StoreForeign(scm.P256, k.Public)
	wantError(t, err, scm.ErrFull)
}

func TestEdwardsPoints(t *testing.T) {
	f := newFake(t)
	off := 0
	for i := range 40 {
		k, err := f.Generate(scm.Ed25519)
		if err != nil {
			t.Fatal(err)
		}
		if !isPublic(scm.Ed25519, k.Public) {
			t.Errorf("%x is a key", k.Public)
		}
		k.Public[0] ^= byte(i) | 1
		if !isPublic(scm.Ed25519, k.Public) {
			off++
		}
	}
	if off == 0 {
		t.Error("everything is a key")
	}
}
