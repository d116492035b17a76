// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// A token and its device know each other (docs/adr/0026-bond.md). The store has the serial
// number of the device, and a bond that only the token's secret can make; the soft SCM has
// the same bond. Where they differ a file is missing, is another token's, or is of the past:
// nothing is made anew then, and nothing written, until an administrator has seen to it.

// errReset is of a device that its administrator has made new: the keys that the token
// knew are gone for good, and the token is to be initialised.
var errReset = fmt.Errorf("%w: the SCM was reset, and the keys that the token knew are gone: initialise the token again, or put flash.db back",
	scm.ErrForeign)

// foreign says why the token and its device do not belong together.
func foreign(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{scm.ErrForeign}, args...)...)
}

// untold is the serial number of a device that does not tell it.
const untold = "unknown"

// newMate is what the store is to know of the device, after C_InitToken.
func (t *token) newMate() (store.Mate, error) {
	known, err := t.deviceBonds()
	b, can := t.device.(scm.Bonded)
	return store.Mate{Serial: known.Serial, Open: !can || !b.Seals()}, err
}

// knownBonds is what a device knows of its token: most devices no more than who they are.
type knownBonds struct {
	scm.Bonds
	kept bool // the device keeps a bond
}

func (t *token) deviceBonds() (knownBonds, error) {
	if d, can := t.device.(scm.Bonded); can {
		b, err := d.Bonds()
		return knownBonds{b, true}, err
	}
	info, err := t.device.Info()
	return knownBonds{Bonds: scm.Bonds{Serial: info.Serial}}, err
}

// checkPair returns why the token and its device do not belong together, as far as that is
// seen without the token's secret.
func (t *token) checkPair() error {
	for {
		st, err := t.store.Pairing()
		if err != nil {
			return err
		}
		known, err := t.deviceBonds()
		if err != nil {
			return err
		}
		if err = mismatch(st, known); err == nil {
			return nil
		}
		now, failed := t.store.Pairing()
		if failed != nil || now.Initialized == st.Initialized && bytes.Equal(now.Bond, st.Bond) {
			return err
		}
		// Another process has initialised the token meanwhile.
	}
}

// CheckPair returns why a token and a device do not belong together, as far as that is seen
// without the token's secret, and changes neither.
func CheckPair(device scm.Device, tokens *store.Store) error {
	return (&token{device: device, store: tokens}).checkPair()
}

// mismatch compares what a token and a device know of each other.
func mismatch(st store.Pairing, known knownBonds) error {
	switch {
	case !st.Initialized && (known.Token != nil || known.Sealed):
		return foreign("the SCM belongs to a token that was initialised, and this one never was: put its token.db back")
	case !st.Initialized, len(st.Bond) == 0, st.Mate.Serial == untold, known.Serial == untold:
		return nil
	case known.Serial != st.Mate.Serial:
		return foreign("the token is that of the SCM %s, and this is the SCM %s: put back what was exchanged, or have the recovery words bind the token to this one (zk_pkcs11-util token recovery restore)", st.Mate.Serial, known.Serial)
	case !known.kept || bytes.Equal(known.Token, st.Bond) || bytes.Equal(known.Next, st.Bond):
		return nil
	case known.Token == nil && !known.Sealed:
		return errReset // also where a C_InitToken after the reset came no farther than Offer
	}
	return foreign("token.db or flash.db is a copy from before the token was initialised the last time, or of another token: put back what was exchanged")
}

// checkUnsealed returns why a device that was unsealed with the token's secret is not the token's.
// A token that knows no device yet, such as one of version 0.1.0, takes this one.
func (t *token) checkUnsealed(secret []byte) error {
	err := t.checkBond(secret)
	if err != nil && !t.store.Unlocked() {
		return nil // another process has initialised the token meanwhile, which the next call notices
	}
	return err
}

func (t *token) checkBond(secret []byte) error {
	st, err := t.store.Pairing()
	if err != nil {
		return err
	}
	sealing, err := t.sealedTo(secret)
	if err != nil {
		return err
	}
	if len(st.Bond) == 0 || st.Mate.Serial == untold {
		return t.adoptDevice(secret, sealing)
	}
	bond := store.Bond(secret, st.Mate)
	switch {
	case !bytes.Equal(bond, st.Bond):
		return foreign("somebody has changed in token.db which SCM the token belongs to: put back a copy of it")
	case sealing.can && !sealing.sealed && !st.Mate.Open:
		return foreign("the SCM opens without the token's secret, so it is not the one that was sealed to it: put its flash.db back")
	}
	t.bindDevice(bond)
	return nil
}

// settleBond has the device finish what the C_InitToken or the login before left to do. Of
// bonds and secrets it remembers two: one that is only prepared gives way to the next, and
// would be lost when that is not committed.
func (t *token) settleBond() error {
	b, can := t.device.(scm.Bonded)
	if !can {
		return nil
	}
	st, err := t.store.Pairing()
	if err != nil || len(st.Bond) == 0 || st.Mate.Serial == untold {
		return err
	}
	if err := b.Bind(st.Bond); err != nil {
		return err
	}
	known, err := b.Bonds()
	if err == nil && !known.Sealed && !st.Mate.Open {
		err = fmt.Errorf("the SCM could not be sealed yet: %w", scm.ErrFull)
	}
	return err
}

// sealing is whether a device is sealed to the token's secret, if it can be.
type sealing struct{ sealed, can bool }

func (t *token) sealedTo(secret []byte) (sealing, error) {
	b, can := t.device.(scm.Bonded)
	if !can {
		return sealing{}, nil
	}
	sealed, err := b.SealedTo(secret)
	return sealing{sealed, true}, err
}

// adoptDevice binds the token to the device that it is found with. It fails for a device that
// belongs to another token. The device comes first: until the store has the bond, this is
// done again.
func (t *token) adoptDevice(secret []byte, found sealing) error {
	known, err := t.deviceBonds()
	if err != nil || known.Serial == untold {
		return err
	}
	mate := store.Mate{Serial: known.Serial, Open: !found.sealed}
	bond := store.Bond(secret, mate)
	if known.Token != nil && !bytes.Equal(known.Token, bond) && !found.sealed {
		return foreign("the SCM belongs to another token: put back what was exchanged")
	}
	if t.store.ReadOnly() || !t.bindDevice(bond) {
		return nil
	}
	t.logUnlessWritten("token.db", t.store.Bind(secret, mate))
	return nil
}

// bindDevice has the device know the bond, if it can know any, and reports whether that is done.
// What cannot be written now is left to the next login. Where it knows the bond, what was
// offered stays: another process may be about to store what belongs to it.
func (t *token) bindDevice(bond []byte) (done bool) {
	b, can := t.device.(scm.Bonded)
	if !can {
		return true
	}
	if known, err := b.Bonds(); err == nil && bytes.Equal(known.Token, bond) {
		return true
	}
	return t.logUnlessWritten("flash.db", b.Bind(bond))
}

// logUnlessWritten reports whether err is nil. The login is good without what has failed.
func (t *token) logUnlessWritten(what string, err error) bool {
	if err != nil && !errors.Is(err, scm.ErrReadOnly) && !errors.Is(err, store.ErrReadOnly) {
		t.slot.provider.log.Infof("slot %d: %s does not know yet what belongs to it; the next login tells it: %v", t.slot.id, what, err)
	}
	return err == nil
}
