// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/board"
)

// expected are the errors that an SCM in trouble may give.
var expected = []error{scm.ErrTimeout, scm.ErrAbsent, scm.ErrDevice, scm.ErrSlotEmpty, scm.ErrDestroyed}

// signInStorm signs with the permanent slots until it is told to stop. No
// signature may be wrong, and no error one that is not expected. It tells how
// many signatures it made, and then whether every slot signs again.
func signInStorm(library string, in *bufio.Scanner) error {
	d, err := Open(Options{Library: library, Refresh: time.Second, Group: -1})
	if err != nil {
		return err
	}
	defer d.Close()
	fmt.Println("ready")
	stop := make(chan struct{})
	go func() {
		in.Scan()
		close(stop)
	}()
	made := 0
	for {
		select {
		case <-stop:
			fmt.Println(made)
			return signAll(d)
		default:
		}
		err := signOnce(d, scm.Slot(rand.N(scm.PermanentSlots)))
		switch {
		case err == nil:
			made++
		case !isExpected(err):
			return err
		}
	}
}

func isExpected(err error) bool {
	for _, e := range expected {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

var errWrongKey = errors.New("a signature by a wrong key")

func signOnce(d *Device, s scm.Slot) error {
	k, err := d.PublicKey(s)
	if err != nil {
		return err
	}
	digest := make([]byte, 32)
	sig, err := d.Sign(s, digest)
	if err == nil && scmtest.Verify(k, digest, sig) != nil {
		return errWrongKey
	}
	return err
}

func signAll(d *Device) error {
	for s := range scm.Slot(scm.PermanentSlots) {
		if err := signOnce(d, s); err != nil {
			return fmt.Errorf("after the storm: slot %d: %w", s, err)
		}
	}
	return nil
}

// storm are the troubles of an SCM that pass.
var storm = []func(*soft.Device) error{
	func(s *soft.Device) error { return s.InjectFault(board.Fault{Restart: true}) },
	func(s *soft.Device) error { return s.InjectFault(board.Fault{Timeouts: 1 + rand.N(20)}) },
	func(s *soft.Device) error { return s.InjectUnbind() },
	func(s *soft.Device) error { return s.InjectRebind() },
	func(s *soft.Device) error { _, err := s.Boot(); return err },
	func(s *soft.Device) error { return s.InjectTamper(rand.N(board.PerimeterChannels)) },
	func(s *soft.Device) error { return s.InjectTemperature(float32(rand.N(200) - 50)) },
}

// TestStorm has four processes sign while a hundred things happen to the SCM.
func TestStorm(t *testing.T) {
	o := ownLibrary(t)
	below, err := soft.Open(o.State, soft.Options{Group: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer below.Close()
	var signers []*processtest.Process
	for range 4 {
		p := processtest.Start(t, "storm", o.Library)
		p.Hear() // ready
		signers = append(signers, p)
	}
	for i := range 100 {
		if err := storm[rand.N(len(storm))](below); err != nil {
			t.Fatalf("injection %d: %v", i, err)
		}
		time.Sleep(rand.N(10 * time.Millisecond)) // how far the signers get does not matter
	}
	for _, calm := range []func(*soft.Device) error{
		func(s *soft.Device) error { return s.InjectTemperature(25) },
		func(s *soft.Device) error { return s.InjectRebind() },
		func(s *soft.Device) error { return s.InjectFault(board.Fault{}) },
	} {
		if err := calm(below); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range signers {
		p.Tell("stop")
		made := p.Hear()
		if made == "0" {
			t.Errorf("signer %d made no signature", i)
		}
		if err := p.End(); err != nil {
			t.Errorf("signer %d: %v", i, err)
		}
	}
}
