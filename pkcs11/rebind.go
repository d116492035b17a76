// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"errors"
	"slices"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/secret"
	"libzk_pkcs11/internal/store"
)

// What opens a token can be written down: a recovery key of random bytes wraps the token's secret
// and its root, and binds the token to another SCM when its own is broken (docs/adr/0042-recovery.md).
// PKCS#11 has no functions for it; the tool of administrators calls these.

// RecoverySize is how many random bytes a recovery key has.
const RecoverySize = store.RecoverySize

// KeepRecovery makes key the token's recovery key, in place of one that it has had. It needs a
// session in which somebody is logged in.
func (p *Provider) KeepRecovery(h uint, key []byte) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if len(key) != RecoverySize {
		return CKR_ARGUMENTS_BAD
	}
	s.token.login.Lock()
	defer s.token.login.Unlock()
	if s.token.user() == nobody {
		return CKR_USER_NOT_LOGGED_IN
	}
	o, err := s.token.store.Opening(s.token.unlockOneWay)
	if err != nil {
		return err
	}
	defer o.Destroy()
	return s.token.store.KeepRecovery(o, key)
}

// unlockOneWay has the device unlock what it has locked by the key that never leaves it.
func (t *token) unlockOneWay(locked []byte) ([]byte, error) {
	locker, can := t.device.(scm.Locker)
	if !can {
		return nil, scm.ErrAbility
	}
	return locker.Unlock(locked, scm.OneWayKey)
}

// HasRecovery reports whether the token in a slot has a recovery key.
func (p *Provider) HasRecovery(slot uint) (has bool, err error) {
	t, err := p.awaitedToken(slot)
	if err != nil {
		return false, err
	}
	defer t.done(&err)
	_, err = t.store.Recovery()
	if errors.Is(err, store.ErrNoRecovery) {
		return false, nil
	}
	return err == nil, err
}

// Rebinding is a token that may be bound to the SCM that is found with it, whether the two know
// each other or not. It has files open until Close.
type Rebinding struct {
	token    *token
	recovery store.Recovery
}

// BeginRebinding opens the token in a slot, which no other call of this provider uses. It has to have
// a recovery key. CKR_CRYPTOKI_NOT_INITIALIZED.
func (p *Provider) BeginRebinding(slot uint) (*Rebinding, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	s, err := p.slot(slot)
	if err != nil {
		return nil, err
	}
	device, st, err := s.options.Open()
	if err != nil {
		return nil, err
	}
	r := &Rebinding{token: &token{slot: s, device: device, store: st}}
	if r.recovery, err = st.Recovery(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Close closes the files.
func (r *Rebinding) Close() error { return errors.Join(r.token.store.Close(), r.token.device.Close()) }

// Opens reports whether key is the token's recovery key.
func (r *Rebinding) Opens(key []byte) bool {
	o, err := r.recovery.Open(key)
	o.Destroy()
	return err == nil
}

// Bound is what Bind has done.
type Bound struct {
	Label, Serial string    // of the token, and of the SCM that it is bound to
	Lost          []LostKey // keys in key slots that the token knew, and the SCM does not have
}

// Bind binds the token to the SCM, by its recovery key. The device takes the secret beside what
// it has before the store commits it, and drops the rest after, as with C_InitToken: a process that is killed
// leaves a token that is that of the SCM before, or of this one. The SCM must not be that of another token.
func (r *Rebinding) Bind(key []byte) (Bound, error) {
	t := r.token
	o, err := r.recovery.Open(key)
	if err != nil {
		return Bound{}, err
	}
	defer o.Destroy()
	release, err := t.store.Alone()
	if err != nil {
		return Bound{}, err
	}
	defer release()
	if err := t.unsealUnclaimed(o.Secret.Bytes()); err != nil {
		return Bound{}, err
	}
	defer t.sealDevice()
	if err := t.rebind(o); err != nil {
		return Bound{}, err
	}
	return t.settleRebound()
}

// rebind does it, once the device is open.
func (t *token) rebind(o store.Opening) error {
	mate, err := t.newMate()
	if err != nil {
		return err
	}
	locked, err := t.lockRoot(o.Root)
	if err != nil {
		return err
	}
	if err := t.store.Rebind(o, mate, locked, t.prepare); err != nil {
		return err
	}
	if err := t.unsealDevice(o.Secret.Bytes()); err != nil {
		return err
	}
	t.bindDevice(store.Bond(o.Secret.Bytes(), mate))
	return nil
}

// lockRoot has the device lock the root that the device before has locked; nil for a token without one.
func (t *token) lockRoot(root *secret.Buffer) ([]byte, error) {
	if root == nil {
		return nil, nil
	}
	locker, can := t.device.(scm.Locker)
	if !can {
		return nil, foreign("the private objects of the token are sealed with a lock of the SCM, and this SCM has none: take another one")
	}
	locked, err := locker.Lock(root.Bytes(), scm.OneWayKey)
	if err != nil {
		return nil, err
	}
	return locked, checkUnlocks(locker, locked, root.Bytes())
}

// unsealUnclaimed opens a device that belongs to no token, or to the one with this secret.
func (t *token) unsealUnclaimed(tokenSecret []byte) error {
	known, err := t.deviceBonds()
	if err != nil || !known.kept {
		return err
	}
	if known.Sealed {
		err := t.unsealDevice(tokenSecret)
		if errors.Is(err, scm.ErrSecret) {
			err = claimed(known.Bonds)
		}
		return err
	}
	if known.Token == nil || known.isOf(tokenSecret) {
		return nil
	}
	return claimed(known.Bonds)
}

func claimed(known scm.Bonds) error {
	return foreign("the SCM %s belongs to another token, whose keys would be lost: take a new one, or make this one new by \"scm reset\"", known.Serial)
}

// settleRebound forgets the names of keys that are in the SCM before, and tells what there is. A process
// that is killed before leaves names that every process tells of; binding the token once more removes them.
func (t *token) settleRebound() (b Bound, err error) {
	st, err := t.store.Token()
	if err != nil {
		return b, err
	}
	info, err := t.device.Info()
	if err != nil {
		return b, err
	}
	b.Label, b.Serial = st.Label, info.Serial
	lost, err := t.lostKeys()
	if err != nil || len(lost) == 0 {
		return b, err
	}
	if b.Lost, err = t.labelled(lost); err != nil {
		return b, err
	}
	_, err = t.store.Release(func(tx *store.Tx) error {
		for _, k := range lost {
			if err := tx.DeleteSlot(k.Slot, k.Public); err != nil {
				return err
			}
		}
		return nil
	})
	return b, err
}

// labelled returns keys with the labels that the store still has of them, empty where only a login shows one.
func (t *token) labelled(keys []store.OwnKey) (named []LostKey, err error) {
	all, err := t.store.ChangesSince(0)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		i := slices.IndexFunc(all.Slots, func(r store.Record) bool {
			slot, _ := r.KeySlot()
			return slot == k.Slot && !r.Private && bytes.Equal(r.Public, k.Public)
		})
		label := ""
		if i >= 0 {
			label = string(all.Slots[i].Attributes[CKA_LABEL])
		}
		named = append(named, LostKey{k.Slot, label})
	}
	return named, nil
}

// lostKeys are those that the token remembers, and the device does not have.
func (t *token) lostKeys() (lost []store.OwnKey, err error) {
	decorated, err := t.store.Decorated()
	if err != nil {
		return nil, err
	}
	for _, k := range decorated {
		now, err := t.device.PublicKey(scm.Slot(k.Slot))
		if err != nil && !errors.Is(err, scm.ErrSlotEmpty) {
			return nil, err
		}
		if err != nil || !bytes.Equal(now.Public, k.Public) {
			lost = append(lost, k)
		}
	}
	return lost, nil
}

// isOf reports whether a token's secret is the one to which the device is bound.
func (k knownBonds) isOf(tokenSecret []byte) bool {
	for _, open := range []bool{true, false} {
		if bytes.Equal(k.Token, store.Bond(tokenSecret, store.Mate{Serial: k.Serial, Open: open})) {
			return true
		}
	}
	return false
}
