// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestForeignCurves stores a key on each curve, and reads them where they were
// stored and elsewhere.
func TestForeignCurves(t *testing.T) {
	f := newFake(t)
	d := f.device()
	for i := range 40 { // about half of the 25519 keys can be of either kind
		c := scm.Curves[i%len(scm.Curves)]
		own := mustGenerate(t, d, c)
		s, err := d.StoreForeign(c, own.Public)
		if err != nil {
			t.Fatal(err)
		}
		if k, err := d.ForeignKey(s); err != nil || k.Curve != c {
			t.Errorf("%s: %v, %v", c, k, err)
		}
		if k, err := f.device().ForeignKey(s); err != nil || k.Curve != c {
			t.Errorf("elsewhere, %s: %v, %v", c, k, err)
		}
	}
}

// TestForeign25519 reads keys that can be on either curve, which somebody else has
// stored, and those that cannot.
func TestForeign25519(t *testing.T) {
	for _, test := range []struct {
		setting           string
		ambiguous, signed scm.Curve
		asked             int
	}{
		{"", scm.Ed25519, scm.Ed25519, 1},
		{Foreign25519Ask, scm.Ed25519, scm.Ed25519, 1},
		{Foreign25519Ed25519, scm.Ed25519, scm.Ed25519, 0},
		{Foreign25519X25519, scm.X25519, scm.Ed25519, 0},
	} {
		f := newFake(t)
		either := ambiguous(t, f).Public
		ed := slices.Clone(either)
		ed[31] |= 0x80 // the other of the two points
		d := f.device(func(o *Options) { o.Foreign25519 = test.setting })
		for public, want := range map[string]scm.Curve{string(either): test.ambiguous, string(ed): test.signed} {
			s, err := f.StoreForeign(scm.Ed25519, []byte(public))
			if err != nil {
				t.Fatal(err)
			}
			d.forget()
			if k, err := d.ForeignKey(s); err != nil || k.Curve != want {
				t.Errorf("%q: %x is on %s, %v; want %s", test.setting, public, k.Curve, err, want)
			}
		}
		asked := slices.DeleteFunc(f.calls, func(call string) bool { return call != "verify" })
		if len(asked) != test.asked {
			t.Errorf("%q: asked %d times, want %d", test.setting, len(asked), test.asked)
		}
	}
	_, err := open(Options{Foreign25519: "guess", Group: -1}, newFake(t))
	if err == nil {
		t.Error("a setting that there is not")
	}
}

// TestCurveOverDeadContext: what a context refuses because it is dead says nothing of
// a key.
func TestCurveOverDeadContext(t *testing.T) {
	for n := range 8 { // the call at which it dies
		f := newFake(t)
		own := ambiguous(t, f)
		s, err := f.StoreForeign(scm.Ed25519, own.Public)
		if err != nil {
			t.Fatal(err)
		}
		d := f.device()
		f.failures = append(make([]error, n), errRefusal, errRefusal)
		if k, err := d.ForeignKey(s); err == nil && k.Curve != scm.Ed25519 {
			t.Errorf("foreign, dead from call %d on: %s", n, k.Curve)
		}
		f.failures = append(make([]error, scm.PermanentSlots+n), errRefusal, errRefusal)
		if k, err := d.PublicKey(own.Slot); err == nil && k.Curve != scm.Ed25519 {
			t.Errorf("own, dead from call %d on: %s", n, k.Curve)
		}
	}
}

// TestCurveOverTimeouts: a module that does not answer says nothing of a key either.
func TestCurveOverTimeouts(t *testing.T) {
	for n := range 8 { // the call that times out
		f := newFake(t)
		own := ambiguous(t, f)
		s, err := f.StoreForeign(scm.Ed25519, own.Public)
		if err != nil {
			t.Fatal(err)
		}
		d := f.device()
		f.failures = append(make([]error, n), errTimeout)
		if k, err := d.ForeignKey(s); err == nil && k.Curve != scm.Ed25519 {
			t.Errorf("foreign, call %d: %s", n, k.Curve)
		}
		f.failures = append(make([]error, scm.PermanentSlots+n), errTimeout)
		if k, err := d.PublicKey(own.Slot); err == nil && k.Curve != scm.Ed25519 {
			t.Errorf("own, call %d: %s", n, k.Curve)
		}
	}
}

// TestForeignCurveUnverified: of a module that verifies no Ed25519 signatures at all, or
// a library that verifies none, a refusal says nothing of a key.
func TestForeignCurveUnverified(t *testing.T) {
	f := newFake(t)
	f.unverified = true
	s, err := f.StoreForeign(scm.Ed25519, ambiguous(t, f).Public)
	if err != nil {
		t.Fatal(err)
	}
	if k, err := f.device().ForeignKey(s); err != nil || k.Curve != scm.Ed25519 {
		t.Errorf("%v, %v", k, err)
	}
}

// ambiguous makes an Ed25519 key that could be one of X25519.
func ambiguous(t *testing.T, f *fake) scm.Key {
	t.Helper()
	for {
		k, err := f.Generate(scm.Ed25519)
		if err != nil {
			t.Fatal(err)
		}
		if k.Public[31]&0x80 == 0 {
			return k
		}
		if err := f.Remove(k); err != nil {
			t.Fatal(err)
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
