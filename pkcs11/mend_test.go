// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/store"
)

// TestNobodyMendsUnproven: looking at a token writes nothing. Its SCM was reset after a program
// had been killed, and may be put back.
func TestNobodyMendsUnproven(t *testing.T) {
	softOnly(t, noPlace)
	f := newUser(t)
	f.dies("Place", true, func() { _, _, _ = f.tryPair(scm.P256, onToken, onToken) })
	f.Close()
	d, err := soft.Open(f.dir, soft.Options{Group: -1})
	ok(t, err)
	ok(t, d.Reset())
	ok(t, d.Close())
	f = openIn(t, f.dir, Options{})
	_, err = f.GetTokenInfo(0)
	ok(t, err)
	f.h = f.session(CKF_RW_SESSION)
	f.search()
	want(t, "login", f.Login(f.h, CKU_USER, userPIN), CKR_DEVICE_ERROR)
	if n := len(f.records()); n != 2 || len(f.unsettled()) != 1 {
		t.Errorf("%d records, journal %v", n, f.unsettled())
	}
}

// copied copies files, which can be put back in the place of what is there then.
func (f *fixture) copied(pattern string) (putBack func()) {
	f.Helper()
	files := func() []string {
		found, err := filepath.Glob(filepath.Join(f.dir, pattern))
		f.ok(err)
		return found
	}
	contents := map[string][]byte{}
	for _, path := range files() {
		content, err := os.ReadFile(path)
		f.ok(err)
		contents[path] = content
	}
	return func() {
		for _, path := range files() {
			f.ok(os.Remove(path))
		}
		for path, content := range contents {
			f.ok(os.WriteFile(path, content, 0o600))
		}
	}
}

// TestOlderCopyIsNotMended: the login that finds an older copy writes no more than that it
// has, for the newer one may be put back.
func TestOlderCopyIsNotMended(t *testing.T) {
	softOnly(t, noPlace)
	f := newUser(t)
	f.dies("Place", false, func() { _, _, _ = f.tryPair(scm.P256, onToken, onToken) })
	f.Close()
	putBack := f.copied("token.db*")
	for range 2 { // the second one finds what the first one has mended
		other := f.another()
		if len(other.unsettled()) > 0 {
			t.Errorf("the journal is %v", other.unsettled())
		}
		other.Close()
	}
	putBack()
	other := f.another()
	if n := len(other.records()); n != 2 || len(other.unsettled()) != 1 {
		t.Errorf("after the login that finds the copy: %d records, journal %v", n, other.unsettled())
	}
	_, private := other.pair(scm.P256, onToken, onToken)
	if len(other.unsettled()) != 1 {
		t.Errorf("after a change: journal %v", other.unsettled())
	}
	other.reads(private, zkSlot, 17)
	ok(t, other.Logout(other.h))
	other.login(CKU_USER)
	if n := len(other.records()); n != 2 || len(other.unsettled()) > 0 {
		t.Errorf("after the next login: %d records, journal %v", n, other.unsettled())
	}
}

// TestOthersEntryIsSeen: a change tells the entry of somebody who was killed from one of its
// own process, and brings it to its end.
func TestOthersEntryIsSeen(t *testing.T) {
	softOnly(t, noPlace)
	f := newUser(t)
	other := f.another()
	release := func() {}
	f.during("Place", func() { release = f.withheld("token.db.write") })
	f.pair(scm.P256, onToken, onToken) // its entry stays
	release()
	mine := f.unsettled()
	if len(mine) != 1 {
		t.Fatalf("the journal is %v", mine)
	}
	other.dies("Place", false, func() { _, _, _ = other.tryPair(scm.P256, onToken, onToken) })
	_, err := f.store.Update(func(tx *store.Tx) error { return tx.Strike(&mine[0]) }) // as others that mend do
	ok(t, err)
	if len(f.unsettled()) != 1 {
		t.Fatalf("the journal is %v", f.unsettled())
	}
	f.pair(scm.P256, onToken, onToken)
	if len(f.unsettled()) > 0 || len(f.records()) != 4 {
		t.Errorf("%d records, journal %v", len(f.records()), f.unsettled())
	}
}

// TestMendingGivesUp: one line tells of an entry that cannot be brought to its end, and one of
// a slot that the device does not have any more stays away, while the records stay.
func TestMendingGivesUp(t *testing.T) {
	softOnly(t, noPlace)
	f := newUser(t)
	f.dies("Place", false, func() { _, _, _ = f.tryPair(scm.P256, onToken, onToken) })
	f.mute()
	for range 3 {
		f.token().mendJournal(0)
	}
	if n := f.log.count("warning:"); n != 1 || len(f.unsettled()) != 1 {
		t.Errorf("%d lines, journal %v: %q", n, f.unsettled(), f.log.list)
	}
	f.device.Before("PublicKey", func(int) error { return scm.ErrSlotRange })
	f.token().mendJournal(0)
	if len(f.unsettled()) > 0 || len(f.records()) != 2 || f.log.count("warning:") != 1 {
		t.Errorf("%d records, journal %v: %q", len(f.records()), f.unsettled(), f.log.list)
	}
}
