// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
)

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func mustGenerate(t *testing.T, d *Device, c scm.Curve) scm.Key {
	t.Helper()
	k, err := d.Generate(c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestFakeContract(t *testing.T) {
	scmtest.Run(t, func(t *testing.T) scm.Device { return newFake(t).device() }, scmtest.Options{})
}

func TestInfo(t *testing.T) {
	want := scm.Info{Model: "SCM", Manufacturer: "Zymbit", Firmware: "01.00.00", Serial: "3456789abcdefXYZ"}
	if got, err := newFake(t).device().Info(); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestOpenErrors(t *testing.T) {
	f := newFake(t)
	f.failures = []error{errTimeout, errTimeout}
	state := t.TempDir()
	_, err := open(Options{State: state}, f)
	wantError(t, err, scm.ErrAbsent)
	if n := strings.Count(err.Error(), scm.ErrAbsent.Error()); n != 1 {
		t.Errorf("%v says %d times that there is no answer", err, n)
	}
	if Used(state) {
		t.Error("a module that never answered was used")
	}
	for _, library := range []string{"/nowhere/libzk_app_utils.so", "libc.so.6"} {
		_, err = Open(Options{Library: library, State: state})
		wantError(t, err, ErrLibrary)
		wantError(t, err, scm.ErrAbsent)
	}
	d, err := open(Options{State: state}, newFake(t))
	wantError(t, err, nil)
	wantError(t, d.Close(), nil)
	if !Used(state) {
		t.Error("a module that answered was not used")
	}
	if _, err = open(Options{KeyStore: "chest"}, f); err == nil {
		t.Error("an unknown key store was taken")
	}
}

// TestFailures takes a signature through what can go wrong on the way.
func TestFailures(t *testing.T) {
	tests := []struct {
		name string
		make func(*fake)
		want error
	}{
		{"daemon restarted", func(f *fake) { f.restarted = true }, nil},
		{"one refusal", func(f *fake) { f.failures = []error{errRefusal} }, nil},
		{"one timeout", func(f *fake) { f.failures = []error{errTimeout} }, nil},
		{"refusals", func(f *fake) { f.failures = []error{errRefusal, errRefusal} }, scm.ErrDevice},
		{"timeouts", func(f *fake) { f.failures = []error{errTimeout, errTimeout} }, scm.ErrTimeout},
		{"key removed", func(f *fake) { f.Remove(scm.Key{Slot: scm.FirstUser}) }, scm.ErrSlotEmpty},
		{"key replaced", func(f *fake) { f.Remove(scm.Key{Slot: scm.FirstUser}); f.Generate(scm.P256) }, scm.ErrSlotEmpty},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			d := f.device()
			k := mustGenerate(t, d, scm.P256)
			if !hasKey(t, d, k.Slot) {
				t.Fatal("the new key is not listed")
			}
			tt.make(f)
			sig, err := d.Sign(k.Slot, make([]byte, 32))
			wantError(t, err, tt.want)
			if err == nil && scmtest.Verify(k, make([]byte, 32), sig) != nil {
				t.Error("the signature is wrong")
			}
			f.failures = nil
			if _, err := d.Sign(0, make([]byte, 32)); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestReplacedKeyIsRead checks that the key which took another's place is usable
// once it was noticed.
func TestReplacedKeyIsRead(t *testing.T) {
	f := newFake(t)
	d := f.device()
	k := mustGenerate(t, d, scm.P256)
	hasKey(t, d, k.Slot)
	before := d.Version()
	f.Remove(k)
	now, err := f.Generate(scm.Secp256k1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Sign(k.Slot, make([]byte, 32))
	wantError(t, err, scm.ErrSlotEmpty)
	if d.Version() == before {
		t.Error("Version is as before")
	}
	got, err := d.PublicKey(k.Slot)
	if err != nil || got.Curve != scm.Secp256k1 || !slices.Equal(got.Public, now.Public) {
		t.Errorf("got %v, %v; want %v", got, err, now)
	}
}

// TestCalls counts what the module is asked.
func TestCalls(t *testing.T) {
	f := newFake(t)
	d := f.device()
	for range 20 {
		mustGenerate(t, d, scm.P256)
	}
	hasKey(t, d, 0)
	if n := f.count(func() { hasKey(t, d, 0); d.PublicKey(3); d.Version(); d.Info() }); n != 0 {
		t.Errorf("looking at known keys: %d calls", n)
	}
	if n := f.count(func() { d.Sign(17, make([]byte, 32)) }); n != 1 {
		t.Errorf("a signature: %d calls", n)
	}
	mustGenerate(t, d, scm.P256)
	if n := f.count(func() { hasKey(t, d, 0) }); n != 1 {
		t.Errorf("looking at one new key: %d calls, want the list", n)
	}
}

func TestRefresh(t *testing.T) {
	f := newFake(t)
	d := f.device(func(o *Options) { o.Refresh = time.Nanosecond })
	before := d.Version()
	hasKey(t, d, 0)
	k, err := f.Generate(scm.P256) // by another program
	if err != nil {
		t.Fatal(err)
	}
	if d.Version() == before {
		t.Error("Version is as before")
	}
	if !hasKey(t, d, k.Slot) {
		t.Error("the key of another program does not show")
	}
}

func TestCurveOfKeysOfOthers(t *testing.T) {
	f := newFake(t)
	for i := range 40 { // of the 25519 keys about half need a signature to tell
		want, err := f.Generate(scm.Curves[i%len(scm.Curves)])
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.device().PublicKey(want.Slot)
		if err != nil || got.Curve != want.Curve {
			t.Errorf("slot %d: %s, %v; want %s", want.Slot, got.Curve, err, want.Curve)
		}
	}
}

func TestHiddenKey(t *testing.T) {
	f := newFake(t)
	d := f.device()
	k, err := f.Generate(scm.P256)
	if err != nil {
		t.Fatal(err)
	}
	f.hidden[k.Slot] = true
	if hasKey(t, d, k.Slot) {
		t.Error("a key without a public key is listed")
	}
	_, err = d.Sign(k.Slot, make([]byte, 32))
	wantError(t, err, scm.ErrExport)
	f.hidden[k.Slot] = false
	d.forget()
	if !hasKey(t, d, k.Slot) {
		t.Error("the key does not show again")
	}
}

// TestRestartWhileReading checks that the keys which a dead context does not show
// are not taken for hidden ones.
func TestRestartWhileReading(t *testing.T) {
	f := newFake(t)
	d := f.device()
	f.failures = []error{nil, nil, errRefusal, errRefusal, errRefusal, errRefusal, errRefusal, errRefusal,
		errRefusal, errRefusal, errRefusal, errRefusal, errRefusal, errRefusal, errRefusal, errRefusal, errRefusal, errRefusal}
	keys, err := d.Keys()
	if err != nil || len(keys) != scm.PermanentSlots {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

func TestRemove(t *testing.T) {
	f := newFake(t)
	d := f.device()
	k := mustGenerate(t, d, scm.P256)
	wantError(t, d.Remove(scm.Key{Slot: mustPlant(t, f, bootware)}), scm.ErrPermanent)
	// slots, publicKey, wallet, remove; slots, and for another try slots, publicKey, remove
	f.failures = []error{nil, nil, nil, errRefusal, nil, nil, nil, errRefusal}
	wantError(t, d.Remove(k), scm.ErrDevice)
	f.failures = []error{nil, nil, nil, errTimeout}
	if err := d.Remove(k); err != nil {
		t.Errorf("a removal that took too long, but was done: %v", err)
	}
	if hasKey(t, d, k.Slot) {
		t.Error("the key is still listed")
	}
}

// TestRemoveReplaced checks that a key which another program has put in the place of
// the one that is to go stays.
func TestRemoveReplaced(t *testing.T) {
	f := newFake(t)
	d := f.device()
	k := mustGenerate(t, d, scm.P256)
	hasKey(t, d, k.Slot)
	f.Remove(k)
	now, err := f.Generate(scm.P256)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, d.Remove(k), scm.ErrSlotEmpty)
	if got, err := d.PublicKey(k.Slot); err != nil || !slices.Equal(got.Public, now.Public) {
		t.Errorf("got %v, %v; want %v", got, err, now)
	}
}

// TestGenerateOnce checks that no failure makes a second key.
func TestGenerateOnce(t *testing.T) {
	f := newFake(t)
	d := f.device()
	f.failures = []error{nil, errTimeout} // slots, generate
	_, err := d.Generate(scm.P256)
	wantError(t, err, scm.ErrTimeout)
	if n := slices.Index(f.calls, "generate"); slices.Contains(f.calls[n+1:], "generate") {
		t.Errorf("calls: %v", f.calls)
	}
	f.restarted = true
	mustGenerate(t, d, scm.P256)
}

func TestOldLibrary(t *testing.T) {
	f := newFake(t)
	f.lacks = []string{"zkGenKeyPair", "zkDoRawECDH"}
	d := f.device()
	want := scm.Capability{Sign: true, Message: 32}
	if got := d.Capability(scm.P256); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	_, err := d.Generate(scm.P256)
	wantError(t, err, scm.ErrCurve)
	if !slices.Equal(d.Missing(), f.lacks) {
		t.Errorf("missing: %v", d.Missing())
	}
}
