// SPDX-License-Identifier: Apache-2.0

package wallet

import (
	"crypto/rand"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/wallet/hd"
)

// maxExponent is the highest exponent that an SCM takes.
const maxExponent = 5

// session is the one session in which a wallet is made from, or split into, shares.
// It lives in this process, and nothing of it is in the flash.
type session struct {
	wallet  scm.WalletSeed
	restore *hd.Recovery // of a session that restores, nil in others

	secret []byte
	groups []sharedGroup
	active int // the group that was set last, whose members are added
}

// sharedGroup is a group in a session that makes a wallet.
type sharedGroup struct {
	share hd.Share   // of the group as a whole
	left  []hd.Share // of its members, not given out yet; nil until the group is set
	given bool       // some have been given out
}

// BeginSLIP39 begins a session that makes a wallet and splits its seed into shares
// for members of groups; so many of the groups as the threshold recover it. The
// exponent makes guessing the passphrase slower. ErrInput for numbers that make no
// sense, ErrBusy when there is a session.
func (d *Device) BeginSLIP39(w scm.WalletSeed, groups, threshold, exponent int) error {
	if err := checkSeed(w); err != nil {
		return err
	}
	if exponent > maxExponent {
		return fmt.Errorf("exponent %d: %w", exponent, scm.ErrInput)
	}
	s := &session{wallet: w, secret: make([]byte, 32)}
	rand.Read(s.secret)
	shares, err := hd.Split(s.secret, w.Passphrase, groups, threshold, exponent)
	if err != nil {
		return deviceError(err)
	}
	for _, share := range shares {
		s.groups = append(s.groups, sharedGroup{share: share})
	}
	return d.beginSession(s)
}

// BeginRestoreSLIP39 begins a session that makes a wallet from shares. ErrBusy.
func (d *Device) BeginRestoreSLIP39(w scm.WalletSeed) error {
	if err := checkSeed(w); err != nil {
		return err
	}
	return d.beginSession(&session{wallet: w, restore: new(hd.Recovery)})
}

func (d *Device) beginSession(s *session) error {
	if err := d.Unsealed(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session != nil {
		return errSession
	}
	d.session = s
	return nil
}

var errSession = fmt.Errorf("a SLIP39 session is open: %w", scm.ErrBusy)

// noSession returns ErrBusy during a session, in which there are no other new keys of
// wallets.
func (d *Device) noSession() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session != nil {
		return errSession
	}
	return nil
}

// CancelSLIP39 gives up the session, if there is one.
func (d *Device) CancelSLIP39() error {
	if err := d.Answers(); err != nil {
		return err
	}
	d.dropSession()
	return nil
}

func (d *Device) dropSession() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session.eraseShares()
	d.session = nil
}

// eraseShares erases the secret of a session, and the shares that tell it.
func (s *session) eraseShares() {
	if s == nil {
		return
	}
	clear(s.secret)
	s.restore.Erase()
	for _, g := range s.groups {
		g.share.Erase()
		for _, member := range g.left {
			member.Erase()
		}
	}
}

// SetSLIP39Group says how many members a group has, numbered from 0, and how many of
// them its share takes; the members that are added next are its own. ErrInput without
// a session, for another number, and once members of the group have been added.
func (d *Device) SetSLIP39Group(index, members, threshold int) error {
	if err := d.Answers(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.session
	if s == nil || index < 0 || index >= len(s.groups) || s.groups[index].given {
		return fmt.Errorf("group %d of the session: %w", index, scm.ErrInput)
	}
	g := &s.groups[index]
	left, err := g.share.Members(hd.Group{Members: members, Threshold: threshold})
	if err != nil {
		return deviceError(err)
	}
	g.left, s.active = left, index
	return nil
}

// AddSLIP39Member returns the share of the next member of the group that was set last,
// under a passphrase of that member's own; an empty one leaves the share as the
// standard says. With the last share of all groups the wallet is made and the session
// ends. It reports whether it has, with the slot of the wallet's topmost key. ErrInput when
// the group has no more members.
func (d *Device) AddSLIP39Member(passphrase string) (mnemonic string, slot scm.Slot, done bool, err error) {
	if err := d.Unsealed(); err != nil {
		return "", 0, false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.session
	if s == nil || s.restore != nil {
		return "", 0, false, ErrNoSession
	}
	g := &s.groups[s.active]
	if len(g.left) == 0 {
		return "", 0, false, fmt.Errorf("group %d has no more members: %w", s.active, scm.ErrInput)
	}
	share, err := g.left[0].Protect(passphrase)
	if err != nil {
		return "", 0, false, deviceError(err)
	}
	mnemonic = share.String()
	if s.missing() > 1 {
		g.left, g.given = g.left[1:], true
		return mnemonic, 0, false, nil
	}
	// The wallet first: should that fail, the member can be added again.
	if slot, err = d.growWallet(s.wallet, s.secret); err != nil {
		return "", 0, false, err
	}
	d.session.eraseShares()
	d.session = nil
	return mnemonic, slot, true, nil
}

// ErrNoSession is an ErrInput: the step is one of a session that is not open.
var ErrNoSession = fmt.Errorf("no such SLIP39 session: %w", scm.ErrInput)

// missing is how many shares are still to be given out, at least: one of a group that
// has not been set.
func (s *session) missing() (n int) {
	for _, g := range s.groups {
		n += len(g.left)
		if g.left == nil {
			n++
		}
	}
	return n
}

// AddRestoreSLIP39 adds the share of a member. With the last one that is needed the
// wallet is made and the session ends. It reports whether it has, with the slot of its
// topmost key. ErrInput for a share that is malformed or does not fit to those before it; the
// session goes on after it.
func (d *Device) AddRestoreSLIP39(passphrase, mnemonic string) (slot scm.Slot, done bool, err error) {
	if err := d.Unsealed(); err != nil {
		return 0, false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.session
	if s == nil || s.restore == nil {
		return 0, false, ErrNoSession
	}
	secret, err := s.addShare(passphrase, mnemonic)
	if err != nil || secret == nil {
		return 0, false, deviceError(err)
	}
	defer clear(secret)
	d.session.eraseShares()
	d.session = nil
	slot, err = d.growWallet(s.wallet, secret)
	return slot, err == nil, err
}

// addShare adds a share, and returns the secret when it was the last one that is needed.
func (s *session) addShare(passphrase, mnemonic string) ([]byte, error) {
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
		s.restore.Erase()
	}
	return secret, err
}
