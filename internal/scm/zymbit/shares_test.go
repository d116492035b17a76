// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestShares splits a wallet over the library itself, and restores it from some of the
// shares, one of them under a passphrase of its own.
func TestShares(t *testing.T) {
	d := openOwn(t, ownLibrary(t))
	w := scm.WalletSeed{Curve: scm.Secp256k1, Name: "w", Passphrase: "of all"}
	if err := d.BeginSLIP39(w, 2, 1, 0); err != nil {
		t.Fatal(err)
	}
	var shares []string
	var master scm.Slot
	for group, members := range []int{1, 3} {
		if err := d.SetSLIP39Group(group, members, (members+1)/2); err != nil {
			t.Fatal(err)
		}
		for n := range members {
			share, s, done, err := d.AddSLIP39Member(passphraseOf(n))
			if err != nil || share == "" || done != (len(shares) == 3) {
				t.Fatalf("share %d: done %v, %v", len(shares), done, err)
			}
			shares, master = append(shares, share), s
		}
	}
	made := mustChild(t, d, master, 0, true)

	w.Name = "again"
	if err := d.BeginRestoreSLIP39(w); err != nil {
		t.Fatal(err)
	}
	for i, n := range []int{1, 2} {
		s, done, err := d.AddRestoreSLIP39(passphraseOf(n), shares[1+n])
		if err != nil || done != (i == 1) {
			t.Fatalf("share %d: done %v, %v", i, done, err)
		}
		master = s
	}
	if restored := mustChild(t, d, master, 0, true); string(restored.Public) != string(made.Public) {
		t.Error("another key")
	}
}

// passphraseOf is the passphrase of a member of a group.
func passphraseOf(n int) string { return []string{"", "of one", ""}[n] }

// TestSession is that of a device whose library fails.
func TestSession(t *testing.T) {
	f := newFake(t)
	d := f.device()
	w := scm.WalletSeed{Name: "w"}
	for _, err := range []error{
		d.BeginSLIP39(w, 0, 0, 0), d.BeginSLIP39(w, 17, 1, 0), d.BeginSLIP39(w, 2, 3, 0),
		d.BeginSLIP39(w, 1, 1, -1), d.BeginSLIP39(w, 1, 1, 6), d.BeginSLIP39(scm.WalletSeed{}, 1, 1, 0),
		d.SetSLIP39Group(-1, 1, 1), d.SetSLIP39Group(16, 1, 1), d.SetSLIP39Group(0, 17, 1), d.SetSLIP39Group(0, 2, 3),
	} {
		wantError(t, err, scm.ErrInput)
	}
	f.failures = []error{nil, nil, errTimeout}
	wantError(t, d.BeginSLIP39(w, 1, 1, 0), scm.ErrTimeout)
	if len(f.seeds) != 1 {
		t.Errorf("begun %d times", len(f.seeds))
	}
	begin := func() {
		if err := d.BeginSLIP39(w, 1, 1, 0); err != nil {
			t.Fatal(err)
		}
		if err := d.SetSLIP39Group(0, 2, 2); err != nil {
			t.Fatal(err)
		}
	}
	begin()
	_, _, _, err := d.AddSLIP39Member("a\x00b")
	wantError(t, err, scm.ErrInput)
	if err := d.CancelSLIP39(); err != nil {
		t.Error(err)
	}
	_, _, _, err = d.AddSLIP39Member("")
	wantError(t, err, scm.ErrDevice)

	begin()
	f.wordless = true
	if _, _, done, err := d.AddSLIP39Member(""); err != nil || done {
		t.Fatalf("done %v, %v", done, err)
	}
	_, _, _, err = d.AddSLIP39Member("")
	wantError(t, err, scm.ErrDevice)
	if slots, err := f.Slots(); err != nil || len(slots) != scm.PermanentSlots {
		t.Errorf("a wallet is kept that lacks a share: %v, %v", slots, err)
	}
}
