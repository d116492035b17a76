// SPDX-License-Identifier: Apache-2.0

package scmtest_test

import (
	"errors"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft"
)

func newFaulty(t *testing.T) *scmtest.Faulty {
	t.Helper()
	d, err := soft.Open(t.TempDir(), soft.Options{Group: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return scmtest.NewFaulty(d)
}

// TestFaultyContract checks that a Faulty that was told nothing hides nothing.
func TestFaultyContract(t *testing.T) {
	scmtest.Run(t, func(t *testing.T) scm.Device { return newFaulty(t) },
		scmtest.Options{SkipFull: "the device inside is filled in its own test"})
}

// calls calls each method that Faulty counts.
var calls = map[string]func(*scmtest.Faulty) error{
	"Info":             func(f *scmtest.Faulty) error { _, err := f.Info(); return err },
	"Keys":             func(f *scmtest.Faulty) error { _, err := f.Keys(); return err },
	"PublicKey":        func(f *scmtest.Faulty) error { _, err := f.PublicKey(0); return err },
	"Generate":         func(f *scmtest.Faulty) error { _, err := f.Generate(scm.P256); return err },
	"Draft":            func(f *scmtest.Faulty) error { _, err := f.Draft(scm.P256); return err },
	"Free":             func(f *scmtest.Faulty) error { _, err := f.Free(func(scm.Slot) bool { return true }); return err },
	"GenerateVolatile": func(f *scmtest.Faulty) error { _, err := f.GenerateVolatile(scm.P256); return err },
	"Remove":           func(f *scmtest.Faulty) error { return f.Remove(scm.Key{}) },
	"Sign":             func(f *scmtest.Faulty) error { _, err := f.Sign(0, make([]byte, 32)); return err },
	"Agree":            func(f *scmtest.Faulty) error { _, err := f.Agree(0, nil); return err },
	"Random":           func(f *scmtest.Faulty) error { return f.Random(make([]byte, 8)) },
	"Prepare":          func(f *scmtest.Faulty) error { return f.Prepare([]byte("secret")) },
	"Unseal":           func(f *scmtest.Faulty) error { return f.Unseal([]byte("secret")) },
	"Lock":             func(f *scmtest.Faulty) error { _, err := f.Lock(nil, scm.OneWayKey); return err },
	"Unlock":           func(f *scmtest.Faulty) error { _, err := f.Unlock(nil, scm.OneWayKey); return err },
	"Foreign":          func(f *scmtest.Faulty) error { _, err := f.Foreign(); return err },
	"ForeignKey":       func(f *scmtest.Faulty) error { _, err := f.ForeignKey(0); return err },
	"StoreForeign":     func(f *scmtest.Faulty) error { _, err := f.StoreForeign(scm.P256, nil); return err },
	"RemoveForeign":    func(f *scmtest.Faulty) error { return f.RemoveForeign(0) },
	"NodeAddress":      func(f *scmtest.Faulty) error { _, _, _, err := f.NodeAddress(0); return err },
	"Reconnect":        func(f *scmtest.Faulty) error { return f.Reconnect() },
	"Time":             func(f *scmtest.Faulty) error { _, err := f.Time(); return err },
	"NextSecond":       func(f *scmtest.Faulty) error { _, err := f.NextSecond(); return err },
	"Close":            func(f *scmtest.Faulty) error { return f.Close() },
}

func TestFaultyFail(t *testing.T) {
	fault := errors.New("a fault")
	for method, call := range calls {
		t.Run(method, func(t *testing.T) {
			f := newFaulty(t)
			call(f)
			f.Fail(method, 2, fault)
			for i, want := range []bool{false, true, false} {
				if err := call(f); errors.Is(err, fault) != want {
					t.Errorf("call %d: error %v", i+1, err)
				}
			}
			if f.Calls(method) != 4 || f.Total() != 4 {
				t.Errorf("%d calls, %d of any method; want 4", f.Calls(method), f.Total())
			}
			f.Reset()
			if f.Calls(method) != 0 || f.Total() != 0 {
				t.Error("Reset does not set the counts to zero")
			}
		})
	}
}

func TestFaultyBefore(t *testing.T) {
	f := newFaulty(t)
	entered, leave := make(chan int), make(chan struct{})
	f.Before("Sign", func(call int) error {
		entered <- call
		<-leave
		return nil
	})
	done := make(chan error)
	go func() { done <- calls["Sign"](f) }()
	if call := <-entered; call != 1 {
		t.Errorf("hook of call %d, want 1", call)
	}
	if _, err := f.Keys(); err != nil {
		t.Errorf("Keys during a slow Sign: %v", err)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Errorf("Sign: %v", err)
	}
	f.Reset()
	if err := calls["Sign"](f); err != nil {
		t.Errorf("Sign after Reset: %v", err)
	}
}
