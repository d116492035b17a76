// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/secret"
	"libzk_pkcs11/internal/store"
)

// Private records are sealed by the token's secret, which a PIN gives, and its root, which the
// SCM gives (docs/adr/0035-root.md). The store has the root as the SCM has locked it: a login
// has it unlocked once.

// rooting is a new root, until it is in the store.
type rooting struct {
	store.Root
	memory *secret.Buffer
}

func (r rooting) destroy() { r.memory.Destroy() }

// newRoot draws a root and has the device lock it. What is locked is unlocked once, for if the
// device could not do that all would be lost. The root is none when it fails: scm.ErrAbility for a
// device that has no lock.
func (t *token) newRoot() (rooting, error) {
	locker, can := t.device.(scm.Locker)
	if !can {
		return rooting{}, scm.ErrAbility
	}
	r := rooting{memory: secret.New(store.RootSize)}
	r.Plain = r.memory.Bytes()
	rand.Read(r.Plain) // never fails
	locked, err := locker.Lock(r.Plain, scm.OneWayKey)
	if err == nil {
		err = checkUnlocks(locker, locked, r.Plain)
	}
	if err != nil {
		r.destroy()
		return rooting{}, fmt.Errorf("locking the token's root: %w", err)
	}
	r.Locked = locked
	return r, nil
}

func checkUnlocks(locker scm.Locker, locked, plain []byte) error {
	back, err := locker.Unlock(locked, scm.OneWayKey)
	defer clear(back)
	if err == nil && !bytes.Equal(back, plain) {
		err = fmt.Errorf("%w: the SCM does not give back what it has locked", scm.ErrDevice)
	}
	return err
}

// reportUnrooted tells at C_InitToken why there is no root. An ability that fails costs no more
// than that, and each login tries it again.
func (t *token) reportUnrooted(failed error) {
	if failed != nil {
		t.slot.provider.log.Warningf("slot %d: this SCM does not lock data: the token's private objects are sealed by the PIN alone, and somebody who has a copy of token.db and the PIN can read them: %v", t.slot.id, failed)
	}
}

// openPrivate is openRoot for a login.
func (t *token) openPrivate() error {
	err := t.openRoot()
	switch {
	case err == nil || isGone(err):
		return err
	case !t.store.Unlocked():
		return nil // another process has initialised the token meanwhile, which the next call notices
	}
	t.slot.provider.log.Errorf("slot %d: the PIN is right, but the SCM fails: %v", t.slot.id, err)
	return CKR_DEVICE_ERROR
}

// openRoot opens private records, once the store and the device are open. A token that has no
// root, such as one of version 0.1.0, gets one. Where the device does not open the root,
// private records stay closed, and everything else works: an operator is told.
func (t *token) openRoot() error {
	for {
		locked, err := t.store.LockedRoot()
		if err != nil {
			return err
		}
		if len(locked) == 0 {
			err = t.addRoot()
		} else {
			err = t.unlockRoot(locked)
		}
		if !errors.Is(err, store.ErrOutdated) {
			return err
		}
	}
}

// unlockRoot is openRoot of a token that has one. store.ErrOutdated when it has another now.
func (t *token) unlockRoot(locked []byte) error {
	err := t.openRootWith(locked)
	switch {
	case err == nil, errors.Is(err, store.ErrSecret):
		return nil // or another process has initialised the token, which the next call notices
	case !errors.Is(err, store.ErrRoot) && !errors.Is(err, scm.ErrAuth) && !errors.Is(err, scm.ErrAbility):
		return fmt.Errorf("opening the token's root: %w", err)
	}
	now, failed := t.store.LockedRoot()
	if failed == nil && !bytes.Equal(now, locked) {
		return store.ErrOutdated
	}
	t.reportLostRoot()
	return nil
}

// openRootWith has the device unlock the root, and the store use it.
func (t *token) openRootWith(locked []byte) error {
	locker, can := t.device.(scm.Locker)
	if !can {
		return scm.ErrAbility
	}
	root, err := locker.Unlock(locked, scm.OneWayKey)
	defer clear(root)
	if err != nil {
		return err
	}
	return t.store.OpenRoot(root)
}

func (t *token) reportLostRoot() {
	t.slot.provider.log.Errorf("slot %d: the SCM does not open what the private objects are sealed under: they are left out until the SCM and the token.db that belong together are back, with the soft SCM its flash.db; if the SCM is lost for good, bind the token to another one by its recovery words (zk_pkcs11-util token recovery restore), or initialise it again", t.slot.id)
}

// addRoot gives the token a root. What cannot be done now is left to the next login, and private
// records are sealed as they have been.
func (t *token) addRoot() error {
	if t.store.ReadOnly() {
		return nil
	}
	r, err := t.newRoot()
	switch {
	case errors.Is(err, scm.ErrAbility): // as C_InitToken has told
		return nil
	case err != nil:
		t.warnIfFailed("private objects are still sealed by the PIN alone", err)
		return nil
	}
	defer r.destroy()
	err = t.store.AddRoot(r.Root, indexRecord)
	switch {
	case errors.Is(err, store.ErrOutdated):
		return err
	case errors.Is(err, store.ErrRoot): // somebody has taken it out of token.db
		t.reportLostRoot()
	case !errors.Is(err, store.ErrSecret): // of a token that was just initialised again: the next call notices
		t.logUnlessWritten("token.db", err)
	}
	return nil
}

// reopenRoot opens the root that another process has given the token since its user logged
// in, and reports whether it did: a token that is outdated in another way has none. login is held.
func (t *token) reopenRoot() bool {
	if lacks, err := t.store.LacksRoot(); err != nil || !lacks {
		return false
	}
	err := t.openRoot()
	t.warnIfFailed("the private objects of the token are sealed anew", err)
	t.forgetObjects()
	return err == nil && t.store.Unlocked()
}
