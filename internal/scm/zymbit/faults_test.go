// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/board"
	"libzk_pkcs11/tests/harness"
)

// broken is a device over our own library, and what is done to the SCM below it.
func broken(t *testing.T) (*Device, *soft.Device) {
	t.Helper()
	o := ownLibrary(t)
	below, err := soft.Open(o.State, soft.Options{Group: -1, Settings: soft.Settings{Host: harness.Machine()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { below.Close() })
	return openOwn(t, o), below
}

// signsWith checks that the slot signs, and does so by the key that it holds.
func signsWith(t *testing.T, d *Device, s scm.Slot) {
	t.Helper()
	sig, err := d.Sign(s, make([]byte, 32))
	if err != nil {
		t.Errorf("Sign(%d): %v", s, err)
		return
	}
	k, err := d.PublicKey(s)
	if err != nil || scmtest.Verify(k, make([]byte, 32), sig) != nil {
		t.Errorf("the signature is not by the key in slot %d: %v", s, err)
	}
}

// TestFaultsBelow does to the SCM what happens to one, and undoes it.
func TestFaultsBelow(t *testing.T) {
	mend := func(s *soft.Device) error { return s.InjectFault(board.Fault{}) }
	tests := []struct {
		name     string
		do, undo func(*soft.Device) error
		want     error
	}{
		{"nothing", mend, mend, nil},
		{"daemon restarted", func(s *soft.Device) error { return s.InjectFault(board.Fault{Restart: true}) }, mend, nil},
		{"a timeout", func(s *soft.Device) error { return s.InjectFault(board.Fault{Timeouts: 1}) }, mend, nil},
		{"timeouts", func(s *soft.Device) error { return s.InjectFault(board.Fault{Timeouts: 100}) }, mend, scm.ErrAbsent},
		{
			"unbound",
			func(s *soft.Device) error { return s.InjectUnbind() },
			func(s *soft.Device) error { return s.InjectRebind() },
			scm.ErrAbsent,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, below := broken(t)
			signsWith(t, d, 0)
			if err := tt.do(below); err != nil {
				t.Fatal(err)
			}
			if tt.want == nil {
				signsWith(t, d, 0)
			} else {
				_, err := d.Sign(0, make([]byte, 32))
				wantError(t, err, tt.want)
				_, err = Open(d.options)
				wantError(t, err, scm.ErrAbsent)
			}
			if err := tt.undo(below); err != nil {
				t.Fatal(err)
			}
			signsWith(t, d, 0)
			signsWith(t, d, scm.FirstEd25519)
		})
	}
}

// TestSelfDestruct checks that nothing is left of keys that were in use.
func TestSelfDestruct(t *testing.T) {
	d, below := broken(t)
	signsWith(t, d, 0)
	err := below.LockBinding()
	if err == nil {
		_, err = below.Boot() // into production mode
	}
	if err == nil {
		err = below.SetPerimeterAction(0, board.ActionSelfDestruct)
	}
	if err == nil {
		err = below.InjectTamper(0)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Sign(0, make([]byte, 32))
	wantError(t, err, scm.ErrDestroyed)
	_, err = d.Keys()
	wantError(t, err, scm.ErrDestroyed)
	_, err = d.Generate(scm.P256)
	wantError(t, err, scm.ErrDestroyed)
}

// TestFull checks what is told of an SCM that has no room for another key.
func TestFull(t *testing.T) {
	t.Setenv("ZK_PKCS11_CONF", settingsFile(t, "[soft]\nuser_slots = 2\n"))
	d := openOwn(t, ownLibrary(t))
	for range 2 {
		_, err := d.Generate(scm.P256)
		wantError(t, err, nil)
	}
	_, err := d.Generate(scm.P256)
	wantError(t, err, scm.ErrFull)
}

// TestForgetfulFirmware checks that keys of the firmware that loses generated ones
// are still there after a start.
func TestForgetfulFirmware(t *testing.T) {
	t.Setenv("ZK_PKCS11_CONF", settingsFile(t, "[soft]\nfirmware = \""+forgetful+"release\"\n"))
	o := ownLibrary(t)
	below, err := soft.Open(o.State, soft.Options{Group: -1, Settings: soft.Settings{Firmware: forgetful + "release"}})
	if err != nil {
		t.Fatal(err)
	}
	defer below.Close()
	lost, err := below.Generate(scm.P256)
	if err != nil {
		t.Fatal(err)
	}
	d := openOwn(t, o)
	kept := mustGenerate(t, d, scm.P256)
	if _, err := below.Boot(); err != nil {
		t.Fatal(err)
	}
	_, err = d.Sign(lost.Slot, make([]byte, 32))
	wantError(t, err, scm.ErrSlotEmpty)
	signsWith(t, d, kept.Slot)
}

// TestBooting checks that a module which starts is absent, and then there.
func TestBooting(t *testing.T) {
	o := ownLibrary(t)
	below, err := soft.Open(o.State, soft.Options{Group: -1, Settings: soft.Settings{BootDelay: time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	defer below.Close()
	if _, err := below.Boot(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(o)
	wantError(t, err, scm.ErrAbsent)
	prompt, err := soft.Open(o.State, soft.Options{Group: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer prompt.Close()
	if _, err := prompt.Boot(); err != nil {
		t.Fatal(err)
	}
	signsWith(t, openOwn(t, o), 0)
}
