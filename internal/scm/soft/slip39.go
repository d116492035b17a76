// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/rand"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/hd"
)

// maxExponent is the highest exponent that an SCM takes.
const maxExponent = 5

// slip39 is the one session in which a wallet is made from, or split into, shares.
// It lives in this process, and nothing of it is in the flash.
type slip39 struct {
	wallet  WalletSeed
	restore *hd.Recovery // of a session that restores, nil in others

	threshold, exponent int
	groups              []hd.Group // with Members 0 until it is known
	secret              []byte
	shares              []hd.Share // not given out yet; nil until all groups are known
}

// BeginSLIP39 begins a session that makes a wallet and splits its seed into shares
// for members of groups; so many of the groups as the threshold recover it. The
// exponent makes guessing the passphrase slower. A session before it is given up.
// ErrInput for numbers that make no sense.
func (d *Device) BeginSLIP39(w WalletSeed, groups, threshold, exponent int) error {
	if err := w.check(); err != nil {
		return err
	}
	if groups < 1 || groups > hd.MaxShares || threshold < 1 || threshold > groups || exponent < 0 || exponent > maxExponent {
		return fmt.Errorf("%d of %d groups, exponent %d: %w", threshold, groups, exponent, scm.ErrInput)
	}
	s := &slip39{wallet: w, threshold: threshold, exponent: exponent, groups: make([]hd.Group, groups)}
	s.secret = make([]byte, 32)
	rand.Read(s.secret)
	return d.beginSession(s)
}

// BeginRestoreSLIP39 begins a session that makes a wallet from shares.
func (d *Device) BeginRestoreSLIP39(w WalletSeed) error {
	if err := w.check(); err != nil {
		return err
	}
	return d.beginSession(&slip39{wallet: w, restore: new(hd.Recovery)})
}

func (d *Device) beginSession(s *slip39) error {
	if _, err := d.unsealed(); err != nil {
		return err
	}
	d.dropSession()
	d.sessionMu.Lock()
	defer d.sessionMu.Unlock()
	d.session = s
	return nil
}

// CancelSLIP39 gives up the session, if there is one.
func (d *Device) CancelSLIP39() error {
	if _, err := d.answering(); err != nil {
		return err
	}
	d.dropSession()
	return nil
}

func (d *Device) dropSession() {
	d.sessionMu.Lock()
	defer d.sessionMu.Unlock()
	d.session.end()
	d.session = nil
}

// end erases the secret of a session.
func (s *slip39) end() {
	if s != nil {
		clear(s.secret)
	}
}

// SetSLIP39Group says how many members a group has, numbered from 0, and how many of
// them its share takes. ErrInput without a session, for another number, and once
// members have been added.
func (d *Device) SetSLIP39Group(index, members, threshold int) error {
	if _, err := d.answering(); err != nil {
		return err
	}
	d.sessionMu.Lock()
	defer d.sessionMu.Unlock()
	s, g := d.session, hd.Group{Members: members, Threshold: threshold}
	if s == nil || s.restore != nil || s.shares != nil || index < 0 || index >= len(s.groups) {
		return fmt.Errorf("group %d of the session: %w", index, scm.ErrInput)
	}
	if err := g.Check(); err != nil {
		return derivation(err)
	}
	s.groups[index] = g
	return nil
}

// AddSLIP39Member returns the share of the next member, group by group, under a
// passphrase of that member's own; an empty one leaves the share as the standard
// says. With the last share the wallet is made and the session ends: done, and the
// slot of the wallet's topmost key.
func (d *Device) AddSLIP39Member(passphrase string) (mnemonic string, slot scm.Slot, done bool, err error) {
	if _, err := d.unsealed(); err != nil {
		return "", 0, false, err
	}
	d.sessionMu.Lock()
	defer d.sessionMu.Unlock()
	s := d.session
	if s == nil || s.restore != nil {
		return "", 0, false, errNoSession
	}
	share, err := s.next(passphrase)
	if err != nil {
		return "", 0, false, derivation(err)
	}
	if len(s.shares) > 1 {
		s.shares = s.shares[1:]
		return share.String(), 0, false, nil
	}
	// The wallet first: should that fail, the member can be added again.
	if slot, err = d.plant(s.wallet, s.secret); err != nil {
		return "", 0, false, err
	}
	d.session.end()
	d.session = nil
	return share.String(), slot, true, nil
}

var errNoSession = fmt.Errorf("no such SLIP39 session: %w", scm.ErrInput)

// next returns the next share to be given out.
func (s *slip39) next(passphrase string) (hd.Share, error) {
	if s.shares == nil {
		all, err := hd.Split(s.secret, s.wallet.Passphrase, s.groups, s.threshold, s.exponent)
		if err != nil {
			return hd.Share{}, err
		}
		for _, group := range all {
			s.shares = append(s.shares, group...)
		}
	}
	return s.shares[0].Protect(passphrase)
}

// AddRestoreSLIP39 adds the share of a member. With the last one that is needed the
// wallet is made and the session ends: done, and the slot of its topmost key.
// ErrInput for a share that is malformed or does not fit to those before it; the
// session goes on after it.
func (d *Device) AddRestoreSLIP39(passphrase, mnemonic string) (slot scm.Slot, done bool, err error) {
	if _, err := d.unsealed(); err != nil {
		return 0, false, err
	}
	d.sessionMu.Lock()
	defer d.sessionMu.Unlock()
	s := d.session
	if s == nil || s.restore == nil {
		return 0, false, errNoSession
	}
	secret, err := s.add(passphrase, mnemonic)
	if err != nil || secret == nil {
		return 0, false, derivation(err)
	}
	defer clear(secret)
	d.session = nil
	slot, err = d.plant(s.wallet, secret)
	return slot, err == nil, err
}

// add adds a share, and returns the secret when it was the last one that is needed.
func (s *slip39) add(passphrase, mnemonic string) ([]byte, error) {
	share, err := hd.ParseShare(mnemonic)
	if err != nil {
		return nil, err
	}
	if share, err = share.Unprotect(passphrase); err != nil {
		return nil, err
	}
	if err := s.restore.Add(share); err != nil || !s.restore.Complete() {
		return nil, err
	}
	secret, err := s.restore.Secret(s.wallet.Passphrase)
	if err != nil {
		// One of the shares is wrong, and nobody knows which.
		*s.restore = hd.Recovery{}
	}
	return secret, err
}
