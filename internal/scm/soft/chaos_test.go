// SPDX-License-Identifier: Apache-2.0

package soft_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/board"
)

// bearable are the errors that a user meets while things go wrong.
var bearable = []error{
	scm.ErrSlotEmpty, scm.ErrAbsent, scm.ErrTimeout, scm.ErrDestroyed,
	scm.ErrSealed, // the root key was another a moment ago
}

func isBearable(err error) bool {
	for _, b := range bearable {
		if errors.Is(err, b) {
			return true
		}
	}
	return false
}

// useForever signs with whatever keys there are, and makes and removes some, until
// the file "stop" is there. It ends with an error when a signature is wrong, or a
// call fails as it must not.
func useForever(dir string) error {
	d, err := soft.Open(dir, options)
	if err != nil {
		return err
	}
	defer d.Close()
	for n := 0; ; n++ {
		if _, err := os.Stat(filepath.Join(dir, "stop")); err == nil {
			fmt.Println("used", n)
			return use(d)
		}
		err := use(d)
		if errors.Is(err, scm.ErrAbsent) {
			err = d.Reconnect()
		}
		if err != nil && !isBearable(err) {
			return err
		}
	}
}

// use makes a key, checks a signature by it and by a permanent one, and removes it.
func use(d *soft.Device) error {
	k, err := d.Generate(scm.P256)
	if err != nil {
		return err
	}
	permanent, err := d.PublicKey(scm.Slot(rand.N(scm.PermanentSlots)))
	if err != nil {
		return err
	}
	for _, k := range []scm.Key{k, permanent} {
		message := make([]byte, 32)
		sig, err := d.Sign(k.Slot, message)
		if err != nil {
			return err
		}
		// A self-destruct, or a start that loses keys, may have come between, and
		// a Reset after it: then this slot holds another key.
		if now, err := d.PublicKey(k.Slot); err != nil || string(now.Public) != string(k.Public) {
			continue
		}
		if err := scmtest.Verify(k, message, sig); err != nil {
			return fmt.Errorf("slot %d: %w", k.Slot, err)
		}
	}
	return d.Remove(k)
}

// TestChaos lets everything go wrong while four processes use the SCM.
func TestChaos(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, options)
	var outs []io.Reader
	for range 4 {
		_, out := start(t, "use", dir)
		outs = append(outs, out)
	}
	for range 100 {
		check(t, misfortune(d))
		time.Sleep(rand.N(5 * time.Millisecond)) // the users' turn
	}
	check(t, d.InjectRebind())
	check(t, d.InjectFault(board.Fault{}))
	check(t, d.Reset())
	check(t, d.Reconnect())
	check(t, os.WriteFile(filepath.Join(dir, "stop"), nil, 0o600))
	for _, out := range outs {
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "used ") {
			t.Errorf("a user ends with %q, %v", line, err)
		}
		if rest, err := io.ReadAll(out); err != nil || len(rest) != 0 {
			t.Errorf("a user ends with %q, %v", rest, err)
		}
	}
	checkWhole(t, d)
}

// misfortune is one of the things that go wrong, some of them mended.
func misfortune(d *soft.Device) error {
	switch rand.N(7) {
	case 0:
		return d.InjectFault(board.Fault{Timeouts: rand.N(20)})
	case 1:
		return d.InjectFault(board.Fault{Restart: true})
	case 2:
		return d.InjectUnbind()
	case 3:
		return d.InjectRebind()
	case 4:
		return selfDestruct(d)
	case 5:
		return d.Reset()
	}
	_, err := d.Boot()
	return err
}

// selfDestruct brings the SCM to production mode and breaches its perimeter.
func selfDestruct(d *soft.Device) error {
	for _, step := range []func() error{
		func() error { return d.InjectRebind() },
		func() error { return d.InjectFault(board.Fault{}) },
		d.Reconnect,
		d.Reset,
		func() error { return d.SetPerimeterAction(0, board.ActionSelfDestruct) },
		d.LockBinding,
		func() error { _, err := d.Boot(); return err },
		func() error { return d.InjectTamper(0) },
	} {
		// Another user's timeouts may hit this one.
		if err := step(); err != nil && !isBearable(err) {
			return err
		}
	}
	return nil
}

// destroyForever destroys the keys of the SCM and resets it, again and again.
func destroyForever(dir string) error {
	d, err := soft.Open(dir, options)
	if err != nil {
		return err
	}
	for n := 0; err == nil; n++ {
		fmt.Println(n)
		if err = selfDestruct(d); err == nil {
			err = d.Reset()
		}
	}
	return err
}

// TestKilledSelfDestruct kills processes at any moment of a self-destruct and of a
// Reset: the keys are then either all there or all gone, and Reset still works.
func TestKilledSelfDestruct(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, options).Close()
	for range 20 {
		killed(t, "destroy", dir)
		d := open(t, dir, options)
		_, err := d.Sign(0, make([]byte, 32))
		switch {
		case errors.Is(err, scm.ErrDestroyed):
			checkFiles(t, dir)
		case err == nil:
			checkWhole(t, d)
		default:
			t.Errorf("Sign: %v", err)
		}
		check(t, d.Reset())
		checkWhole(t, d)
		check(t, d.Close())
	}
}
