// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"errors"
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestSilence tells a module that is slow from one that is not there.
func TestSilence(t *testing.T) {
	for _, tt := range []struct {
		name          string
		unbound       bool
		failures      []error // of the signature, of its repetition, and of the question
		absent, timed bool
	}{
		{"slow", false, []error{errTimeout, errTimeout}, false, true},
		{"slow, then refusing", true, []error{errTimeout, errRefusal}, false, false},
		{"silent", false, []error{errTimeout, errTimeout, errTimeout}, true, true},
		{"not bound", true, []error{errTimeout, errTimeout}, true, true},
		{"unable to tell", true, []error{errTimeout, errTimeout, errRefusal}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			d := f.device()
			hasKey(t, d, 0)
			f.unbound, f.failures = tt.unbound, tt.failures
			_, err := d.Sign(0, make([]byte, 32))
			if err == nil || errors.Is(err, scm.ErrAbsent) != tt.absent || timedOut(err) != tt.timed {
				t.Errorf("error %v; want absent: %v, timed out: %v", err, tt.absent, tt.timed)
			}
		})
	}
}

// TestSilentModule is asked once by each call, until it answers.
func TestSilentModule(t *testing.T) {
	f := newFake(t)
	d := f.device()
	sign := func() error { _, err := d.Sign(0, make([]byte, 32)); return err }
	if err := sign(); err != nil {
		t.Fatal(err)
	}
	f.failures = slices.Repeat([]error{errTimeout}, 5)
	for _, calls := range []int{3, 1, 1} { // which uses up the failures
		if n := f.count(func() { wantError(t, sign(), scm.ErrAbsent) }); n != calls {
			t.Errorf("%d calls, want %d", n, calls)
		}
	}
	if err := sign(); err != nil {
		t.Error(err)
	}
	f.failures = []error{errTimeout}
	if err := sign(); err != nil {
		t.Errorf("one timeout after it has answered: %v", err)
	}
}

// TestSilentFromTheStart: a module that is not there, or boots, is asked twice when it is
// opened, because the first call may be one that always fails.
func TestSilentFromTheStart(t *testing.T) {
	f := newFake(t)
	f.failures = slices.Repeat([]error{errTimeout}, 4)
	n := f.count(func() {
		_, err := open(Options{Group: -1}, f)
		wantError(t, err, scm.ErrAbsent)
	})
	if n != 2 {
		t.Errorf("%d calls", n)
	}
}

// TestOthersHearOfAbsence: a device that finds the module gone tells the others, once.
func TestOthersHearOfAbsence(t *testing.T) {
	t.Setenv("ZK_PKCS11_CONF", settingsFile(t, "[soft]\ntells_unbound = true\n"))
	d, below := broken(t)
	other := openOwn(t, d.options)
	signsWith(t, d, 0)
	signsWith(t, other, 0)
	before := other.Version()
	if err := below.InjectUnbind(); err != nil {
		t.Fatal(err)
	}
	_, err := d.Sign(0, make([]byte, 32))
	wantError(t, err, scm.ErrAbsent)
	if other.Version() == before {
		t.Error("the other device was told nothing")
	}
	_, err = other.Keys()
	wantError(t, err, scm.ErrAbsent)
	told := d.changes.version()
	for range 3 {
		_, err = d.Keys()
		wantError(t, err, scm.ErrAbsent)
		_, err = Open(d.options)
		wantError(t, err, scm.ErrAbsent)
	}
	if d.changes.version() != told {
		t.Error("it tells more than once")
	}
	if err := below.InjectRebind(); err != nil {
		t.Fatal(err)
	}
	signsWith(t, d, 0)
	signsWith(t, other, 0)
}
