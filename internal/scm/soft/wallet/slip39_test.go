// SPDX-License-Identifier: Apache-2.0

package wallet_test

import (
	"bytes"
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/wallet"
)

// member is one who holds a share.
type member struct{ passphrase, mnemonic string }

// share runs a session that makes a wallet of two of three groups, one after the
// other: one member of one, two of three, and two of two.
func share(t *testing.T, d *wallet.Device, w scm.WalletSeed) (members []member, slot scm.Slot) {
	t.Helper()
	check(t, d.BeginSLIP39(w, 3, 2, 0))
	thresholds := []int{1, 2, 2}
	for i, passphrases := range [][]string{{"alone"}, {"", "b", "c"}, {"", ""}} {
		check(t, d.SetSLIP39Group(i, len(passphrases), thresholds[i]))
		for _, passphrase := range passphrases {
			mnemonic, s, done, err := d.AddSLIP39Member(passphrase)
			if err != nil || done != (len(members) == 5) || len(strings.Fields(mnemonic)) != 33 {
				t.Fatalf("member %d: %q, done %v, %v", len(members), mnemonic, done, err)
			}
			members, slot = append(members, member{passphrase, mnemonic}), s
		}
	}
	return members, slot
}

func TestSLIP39(t *testing.T) {
	for _, c := range walletCurves {
		d := open(t, t.TempDir(), options)
		w := seedOf(c, "w")
		w.Passphrase = "of the wallet"
		members, slot := share(t, d, w)
		want, _ := child(t, d, slot, 0, true)
		for _, which := range [][]int{{0, 1, 3}, {5, 2, 4, 3}} {
			other := open(t, t.TempDir(), options)
			check(t, other.BeginRestoreSLIP39(w))
			var s scm.Slot
			for i, m := range which {
				restored, done, err := other.AddRestoreSLIP39(members[m].passphrase, members[m].mnemonic)
				if err != nil || done != (i == len(which)-1) {
					t.Fatalf("share %d: done %v, %v", m, done, err)
				}
				s = restored
			}
			if got, _ := child(t, other, s, 0, true); !bytes.Equal(got.Public, want.Public) {
				t.Errorf("%s: shares %v restore another wallet", c, which)
			}
		}
	}
}

// TestSLIP39Wrong gives shares that are not right.
func TestSLIP39Wrong(t *testing.T) {
	d := open(t, t.TempDir(), options)
	members, _ := share(t, d, seedOf(scm.P256, "w"))
	others, _ := share(t, d, seedOf(scm.P256, "v"))
	r := open(t, t.TempDir(), options)
	add := func(m member) error {
		_, done, err := r.AddRestoreSLIP39(m.passphrase, m.mnemonic)
		if done {
			t.Error("the session is done")
		}
		return err
	}
	wantError(t, "no session", add(members[0]), scm.ErrInput)
	check(t, r.BeginRestoreSLIP39(seedOf(scm.P256, "r")))
	check(t, add(members[1]))
	wantError(t, "twice", add(members[1]), scm.ErrInput)
	wantError(t, "another secret", add(others[2]), scm.ErrInput)
	wantError(t, "nonsense", add(member{"", "nonsense"}), scm.ErrInput)
	check(t, add(member{"wrong", members[2].mnemonic}))
	wantError(t, "a wrong passphrase", add(members[0]), scm.ErrInput)
	for _, m := range []int{0, 1} { // once more from the beginning
		check(t, add(members[m]))
	}
	_, done, err := r.AddRestoreSLIP39(members[2].passphrase, members[2].mnemonic)
	if err != nil || !done {
		t.Errorf("the last share: done %v, %v", done, err)
	}
	wantError(t, "after the session", add(members[3]), scm.ErrInput)
}

func TestSLIP39Session(t *testing.T) {
	d := open(t, t.TempDir(), options)
	w := seedOf(scm.P256, "w")
	wantError(t, "SetSLIP39Group without session", d.SetSLIP39Group(0, 1, 1), scm.ErrInput)
	for _, n := range [][3]int{{0, 1, 0}, {17, 1, 0}, {1, 0, 0}, {1, 2, 0}, {1, 1, -1}, {1, 1, 6}} {
		wantError(t, "BeginSLIP39", d.BeginSLIP39(w, n[0], n[1], n[2]), scm.ErrInput)
	}
	check(t, d.BeginSLIP39(w, 1, 1, 0))
	_, _, _, err := d.AddSLIP39Member("")
	wantError(t, "AddSLIP39Member before SetSLIP39Group", err, scm.ErrInput)
	for _, n := range [][3]int{{-1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 17, 2}, {0, 2, 3}, {0, 2, 1}} {
		wantError(t, "SetSLIP39Group", d.SetSLIP39Group(n[0], n[1], n[2]), scm.ErrInput)
	}
	check(t, d.SetSLIP39Group(0, 2, 2))
	_, _, err = d.AddRestoreSLIP39("", "")
	wantError(t, "AddRestoreSLIP39 in the wrong session", err, scm.ErrInput)
	_, _, _, err = d.AddSLIP39Member("")
	check(t, err)
	wantError(t, "SetSLIP39Group after AddSLIP39Member", d.SetSLIP39Group(0, 2, 2), scm.ErrInput)
	check(t, d.CancelSLIP39())
	check(t, d.CancelSLIP39())
	_, _, _, err = d.AddSLIP39Member("")
	wantError(t, "AddSLIP39Member after CancelSLIP39", err, scm.ErrInput)
	if slots, err := d.Slots(); err != nil || len(slots) != scm.PermanentSlots {
		t.Errorf("slots %v, %v after CancelSLIP39", slots, err)
	}
	check(t, d.BeginSLIP39(w, 1, 1, 0))
	check(t, d.SetSLIP39Group(0, 1, 1))
	d.Forget()
	_, _, _, err = d.AddSLIP39Member("")
	wantError(t, "AddSLIP39Member after Forget", err, scm.ErrInput)
}

// TestSLIP39Groups takes groups in any order, and no member of a group that is not the
// active one.
func TestSLIP39Groups(t *testing.T) {
	d := open(t, t.TempDir(), options)
	check(t, d.BeginSLIP39(seedOf(scm.P256, "w"), 2, 1, 0))
	check(t, d.SetSLIP39Group(0, 3, 2))
	check(t, d.SetSLIP39Group(0, 2, 2)) // nobody has a share of it yet
	check(t, d.SetSLIP39Group(1, 1, 1))
	add := func() (scm.Slot, bool, error) {
		_, s, done, err := d.AddSLIP39Member("")
		return s, done, err
	}
	if _, done, err := add(); done || err != nil {
		t.Errorf("the member of group 1: done %v, %v", done, err)
	}
	_, _, err := add()
	wantError(t, "another member of group 1", err, scm.ErrInput)
	wantError(t, "group 1 again", d.SetSLIP39Group(1, 1, 1), scm.ErrInput)
	check(t, d.SetSLIP39Group(0, 2, 2))
	if _, done, err := add(); done || err != nil {
		t.Errorf("a member of group 0: done %v, %v", done, err)
	}
	if s, done, err := add(); !done || err != nil || s != scm.FirstUser {
		t.Errorf("the last member: slot %d, done %v, %v", s, done, err)
	}
}

// TestSLIP39Busy checks that an open session keeps other keys of wallets away.
func TestSLIP39Busy(t *testing.T) {
	d := open(t, t.TempDir(), options)
	top, err := d.GenerateSeed(seedOf(scm.P256, "before"))
	check(t, err)
	w := seedOf(scm.P256, "w")
	for _, begin := range []func() error{
		func() error { return d.BeginSLIP39(w, 1, 1, 0) },
		func() error { return d.BeginRestoreSLIP39(w) },
	} {
		check(t, begin())
		_, err := d.GenerateSeed(w)
		wantError(t, "GenerateSeed", err, scm.ErrBusy)
		_, _, err = d.GenerateSeedBIP39(w)
		wantError(t, "GenerateSeedBIP39", err, scm.ErrBusy)
		_, err = d.OversightWallet(w, make([]byte, 64), make([]byte, 32), "m")
		wantError(t, "OversightWallet", err, scm.ErrBusy)
		_, _, err = d.ChildKey(top, scm.Child{Hardened: true})
		wantError(t, "ChildKey", err, scm.ErrBusy)
		wantError(t, "BeginSLIP39", d.BeginSLIP39(w, 1, 1, 0), scm.ErrBusy)
		wantError(t, "BeginRestoreSLIP39", d.BeginRestoreSLIP39(w), scm.ErrBusy)
		generate(t, d, scm.P256)
		check(t, d.CancelSLIP39())
	}
	child(t, d, top, 0, true)
}

// TestSLIP39Full fails with the last share, which can then be given out again.
func TestSLIP39Full(t *testing.T) {
	d := open(t, t.TempDir(), soft.Options{Group: -1, Settings: soft.Settings{UserSlots: 1}})
	k := generate(t, d, scm.P256)
	check(t, d.BeginSLIP39(seedOf(scm.P256, "w"), 1, 1, 0))
	check(t, d.SetSLIP39Group(0, 1, 1))
	_, _, _, err := d.AddSLIP39Member("")
	wantError(t, "AddSLIP39Member", err, scm.ErrFull)
	check(t, d.Remove(k))
	_, slot, done, err := d.AddSLIP39Member("")
	if err != nil || !done || slot != scm.FirstUser {
		t.Errorf("AddSLIP39Member: slot %d, done %v, %v", slot, done, err)
	}
}
