// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
)

// remembering returns a fake, and what opens devices on it that share a state directory.
func remembering(t *testing.T) (*fake, func(*Options)) {
	t.Helper()
	state := t.TempDir()
	return newFake(t), func(o *Options) { o.State = state }
}

// next opens a device as the next process does.
func (f *fake) next(state func(*Options)) (d *Device, calls int) {
	calls = f.count(func() {
		d = f.device(state)
		hasKey(f.t, d, 0)
		if _, err := d.Foreign(); err != nil {
			f.t.Error(err)
		}
		for _, k := range mustKeys(f.t, d) {
			_, _, _, _ = d.NodeAddress(k.Slot) // most are in none
		}
	})
	return d, calls
}

// TestRemembered: a process that knows the module asks for its serial number, and for both lists.
func TestRemembered(t *testing.T) {
	f, state := remembering(t)
	seed := mustPlant(t, f, "seed")
	for range 30 {
		_, err := f.Generate(scm.P256)
		wantError(t, err, nil)
	}
	_, err := f.StoreForeign(scm.P256, mustKeys(t, f.device())[0].Public)
	wantError(t, err, nil)
	f.hidden[seed] = true
	d, first := f.next(state)
	known := mustKeys(t, d)
	d.Close()
	d, second := f.next(state)
	if second != 3 {
		t.Errorf("%d calls, then %d: %v", first, second, f.calls[len(f.calls)-second:])
	}
	for i, k := range mustKeys(t, d) {
		if k.Slot != known[i].Slot || k.Curve != known[i].Curve || !bytes.Equal(k.Public, known[i].Public) {
			t.Errorf("got %v, want %v", k, known[i])
		}
	}
}

// TestRememberedChange: a key that a device has exchanged is read anew, and so is one that
// another program has, once it has not signed.
func TestRememberedChange(t *testing.T) {
	f, state := remembering(t)
	d, _ := f.next(state)
	k := mustGenerate(t, d, scm.P256)
	d.Close()
	d, _ = f.next(state)
	wantError(t, d.Remove(k), nil)
	now := mustGenerate(t, d, scm.P256)
	d.Close()
	d, _ = f.next(state)
	if got, err := d.PublicKey(k.Slot); err != nil || !bytes.Equal(got.Public, now.Public) {
		t.Errorf("got %v, %v; want %v", got, err, now)
	}
	d.Close()
	wantError(t, f.Remove(now), nil)
	if _, err := f.Generate(scm.P256); err != nil {
		t.Fatal(err)
	}
	d, _ = f.next(state)
	_, err := d.Sign(k.Slot, make([]byte, 32))
	wantError(t, err, scm.ErrSlotEmpty)
	_, err = d.Sign(k.Slot, make([]byte, 32))
	wantError(t, err, nil)
}

// TestRememberedIsReadAgain: the keys that are only remembered are read anew one by one.
func TestRememberedIsReadAgain(t *testing.T) {
	f, state := remembering(t)
	k, err := f.Generate(scm.P256)
	wantError(t, err, nil)
	d, _ := f.next(state)
	d.Close()
	wantError(t, f.Remove(k), nil)
	now, err := f.Generate(scm.P256)
	wantError(t, err, nil)
	d, _ = f.next(state)
	d.options.Refresh = time.Nanosecond
	for range scm.PermanentSlots + 2 {
		hasKey(t, d, 0)
	}
	if got, err := d.PublicKey(k.Slot); err != nil || !bytes.Equal(got.Public, now.Public) {
		t.Errorf("got %v, %v; want %v", got, err, now)
	}
}

// TestAnotherModule: what is remembered of a module is not believed of another.
func TestAnotherModule(t *testing.T) {
	f, state := remembering(t)
	d, first := f.next(state)
	d.Close()
	f.serial = "another"
	d, again := f.next(state)
	if info, err := d.Info(); again != first || err != nil || info.Serial != "another" {
		t.Errorf("%d calls, then %d; %v, %v", first, again, info, err)
	}
	f.serial = "a third one"
	f.failures = []error{errRefusal}
	signsWith(t, d, 0)
	hasKey(t, d, 0)
	if info, err := d.Info(); err != nil || info.Serial != "a third one" {
		t.Errorf("exchanged while in use: %v, %v", info, err)
	}
}

// TestFirmwareIsReadAgain before a key is made, since that may be lost with the next start.
func TestFirmwareIsReadAgain(t *testing.T) {
	f, state := remembering(t)
	d, _ := f.next(state)
	d.Close()
	f.version = forgetful + "release"
	d, _ = f.next(state)
	k := mustGenerate(t, d, scm.P256)
	if address, wallet, _, err := d.NodeAddress(k.Slot); err != nil || wallet == "" {
		t.Errorf("the key is at %q of wallet %q, %v", address, wallet, err)
	}
}

// TestMemoryIsNoMore than that: without it, and with one that is damaged, all is read.
func TestMemoryIsNoMore(t *testing.T) {
	f, state := remembering(t)
	d, first := f.next(state)
	dir := d.options.State
	d.Close()
	for _, text := range []string{"", "{}", "null", `{"serial":"3456789abcdefXYZ","keys":[{"slot":0,"public":"AAAA"}]}`, "\x00"} {
		if err := os.WriteFile(filepath.Join(dir, memoryName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		d, again := f.next(state)
		if again != first {
			t.Errorf("with %q: %d calls, want %d", text, again, first)
		}
		d.Close()
	}
	left, err := filepath.Glob(filepath.Join(dir, memoryName+".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// TestLeftovers: what a process has left that was killed while it wrote goes with the next change, and what
// another one is about to finish does not.
func TestLeftovers(t *testing.T) {
	f, state := remembering(t)
	d, _ := f.next(state)
	old, young := filepath.Join(d.options.State, memoryName+".1"), filepath.Join(d.options.State, memoryName+".2")
	for _, path := range []string{old, young} {
		wantError(t, os.WriteFile(path, nil, 0o600), nil)
	}
	past := time.Now().Add(-2 * forgotten)
	wantError(t, os.Chtimes(old, past, past), nil)
	_, err := d.Generate(scm.P256)
	wantError(t, err, nil)
	mustKeys(t, d)
	if _, err := os.Stat(old); err == nil {
		t.Error("an old file is left")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error(err)
	}
}
