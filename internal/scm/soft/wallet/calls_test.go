// SPDX-License-Identifier: Apache-2.0

package wallet_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft/board"
	"libzk_pkcs11/internal/scm/soft/wallet"
)

// TestContract: a soft SCM that makes wallets is a device as any other.
func TestContract(t *testing.T) {
	scmtest.Run(t, func(t *testing.T) scm.Device { return open(t, t.TempDir(), options) }, scmtest.Options{})
}

// What a call of a host needs beside an SCM that answers.
const (
	nothing = iota
	keys    // that the SCM has not destroyed its keys
	secrets // that a secret has been given, too
)

// calls are those of a host, with arguments that are right.
var calls = []struct {
	name  string
	needs int
	call  func(*wallet.Device) error
}{
	{"GenerateSeed", secrets, func(d *wallet.Device) error { _, err := d.GenerateSeed(unusedSeed(d)); return err }},
	{"GenerateSeedBIP39", secrets, func(d *wallet.Device) error { _, _, err := d.GenerateSeedBIP39(unusedSeed(d)); return err }},
	{"BeginSLIP39", secrets, func(d *wallet.Device) error { return d.BeginSLIP39(unusedSeed(d), 1, 1, 0) }},
	{"AddSLIP39Member", secrets, func(d *wallet.Device) error { _, _, _, err := d.AddSLIP39Member(""); return orInput(err) }},
	{"SetSLIP39Group", nothing, func(d *wallet.Device) error { return orInput(d.SetSLIP39Group(0, 1, 1)) }},
	{"CancelSLIP39", nothing, (*wallet.Device).CancelSLIP39},
	{"BeginRestoreSLIP39", secrets, func(d *wallet.Device) error { return d.BeginRestoreSLIP39(unusedSeed(d)) }},
	{"AddRestoreSLIP39", secrets, func(d *wallet.Device) error { _, _, err := d.AddRestoreSLIP39("", ""); return orInput(err) }},
	{"CancelSLIP39 again", nothing, (*wallet.Device).CancelSLIP39},
	{"ChildKey", secrets, func(d *wallet.Device) error { _, _, err := d.ChildKey(0, scm.Child{}); return orInput(err) }},
	{"SlotOfNode", keys, func(d *wallet.Device) error {
		_, err := d.SlotOfNode("m", "no wallet", -1)
		return but(err, scm.ErrSlotEmpty)
	}},
}

// but makes an error that is right for the arguments no error.
func but(err, right error) error {
	if errors.Is(err, right) {
		return nil
	}
	return err
}

func orInput(err error) error { return but(err, scm.ErrInput) }

// unusedSeed has a name that no wallet of d has.
func unusedSeed(d *wallet.Device) scm.WalletSeed {
	s, _ := d.Status()
	return scm.WalletSeed{Name: fmt.Sprintf("wallet %d", len(s.Slots))}
}

// states are those of an SCM in which calls fail, and how they do.
var states = []struct {
	name   string
	enter  func(*wallet.Device) error
	errors [secrets + 1]error // by what the call needs
}{
	{"good", func(*wallet.Device) error { return nil }, [...]error{nil, nil, nil}},
	{"sealed", func(d *wallet.Device) error { d.Forget(); return nil }, [...]error{nil, nil, scm.ErrSealed}},
	{"destroyed", destroy, [...]error{nil, scm.ErrDestroyed, scm.ErrDestroyed}},
	{"unbound", func(d *wallet.Device) error { return d.InjectUnbind() }, allAbsent},
	{"timeouts", func(d *wallet.Device) error { return d.InjectFault(board.Fault{Timeouts: 1 << 20}) },
		[...]error{scm.ErrTimeout, scm.ErrTimeout, scm.ErrTimeout}},
	{"closed", (*wallet.Device).Close, allAbsent},
}

var allAbsent = [...]error{scm.ErrAbsent, scm.ErrAbsent, scm.ErrAbsent}

func destroy(d *wallet.Device) error {
	_, first := d.Boot()
	err := errors.Join(first, d.SetPerimeterAction(0, board.ActionSelfDestruct), d.LockBinding())
	_, second := d.Boot()
	return errors.Join(err, second, d.InjectTamper(0))
}

// TestStates makes every call in every state.
func TestStates(t *testing.T) {
	for _, state := range states {
		t.Run(state.name, func(t *testing.T) {
			d := open(t, t.TempDir(), options)
			check(t, seal(d, []byte("secret")))
			check(t, state.enter(d))
			for _, c := range calls {
				wantError(t, c.name, c.call(d), state.errors[c.needs])
			}
		})
	}
}

// TestOneFault checks that a call counts as one, whatever it does: a single timeout
// makes it fail, and the same call after it succeed.
func TestOneFault(t *testing.T) {
	dir := t.TempDir()
	d, other := open(t, dir, options), open(t, dir, options)
	for _, c := range calls {
		check(t, c.call(d))
		check(t, d.InjectFault(board.Fault{Timeouts: 1}))
		wantError(t, c.name, c.call(d), scm.ErrTimeout)
		wantError(t, c.name+" again", c.call(other), nil)
	}
}

// TestSessionEnds: Forget and Close end a session.
func TestSessionEnds(t *testing.T) {
	d := open(t, t.TempDir(), options)
	check(t, d.BeginSLIP39(seedOf(scm.P256, "w"), 1, 1, 0))
	_, err := d.GenerateSeed(seedOf(scm.P256, "other"))
	wantError(t, "GenerateSeed during a session", err, scm.ErrBusy)
	d.Forget()
	_, err = d.GenerateSeed(seedOf(scm.P256, "other"))
	wantError(t, "GenerateSeed after Forget", err, nil)
	check(t, d.BeginRestoreSLIP39(seedOf(scm.P256, "w")))
	check(t, d.Close())
	_, _, err = d.ChildKey(0, scm.Child{})
	wantError(t, "ChildKey after Close", err, scm.ErrAbsent)
}

// TestManyMakers makes things of all kinds through two devices at once: none is lost,
// and none takes another's slot.
func TestManyMakers(t *testing.T) {
	dir := t.TempDir()
	first, second := open(t, dir, options), open(t, dir, options)
	var mu sync.Mutex
	var made, foreign []scm.Slot
	note := func(list *[]scm.Slot, s scm.Slot, err error) {
		mu.Lock()
		defer mu.Unlock()
		*list = append(*list, s)
		if err != nil {
			t.Error(err)
		}
	}
	var group sync.WaitGroup
	for i := range 4 {
		d := []*wallet.Device{first, second}[i%2]
		group.Go(func() {
			top, err := d.GenerateSeed(scm.WalletSeed{Name: fmt.Sprint("wallet ", i)})
			note(&made, top, err)
			for n := range uint32(5) {
				s, _, err := d.ChildKey(top, scm.Child{Index: n, Hardened: true})
				note(&made, s, err)
				k, err := d.Generate(scm.Secp256k1)
				note(&made, k.Slot, err)
				s, err = d.StoreForeign(scm.Secp256k1, k.Public)
				note(&foreign, s, err)
			}
		})
	}
	group.Wait()
	slots, err := first.Slots()
	check(t, err)
	slices.Sort(made)
	if !slices.Equal(slots[scm.PermanentSlots:], made) {
		t.Errorf("slots %v, made %v", slots, made)
	}
	slots, err = second.ForeignSlots()
	check(t, err)
	slices.Sort(foreign)
	if !slices.Equal(slots, foreign) {
		t.Errorf("foreign slots %v, made %v", slots, foreign)
	}
}
