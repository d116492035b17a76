// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/store"
)

// lockless is a device that has every ability but to lock data.
type lockless struct {
	scm.Device
	scm.Agreer
	scm.Capable
	scm.Keeper
	scm.Wallet
	scm.Clock
}

// opening returns a provider on the token in a directory, whose device is what see makes of it.
func opening(t testing.TB, dir string, see func(*scmtest.Faulty) scm.Device) *fixture {
	t.Helper()
	f := openIn(t, dir, Options{})
	f.slots[0].options.Open = func() (scm.Device, *store.Store, error) {
		_, s, err := f.open()
		if err != nil {
			return nil, nil, err
		}
		return see(f.device), s, nil
	}
	return f
}

func withoutLock(d *scmtest.Faulty) scm.Device { return lockless{d, d, d, d, d, d} }

// sealless is a device that has a lock, and no secret of its own to be sealed by.
func sealless(d *scmtest.Faulty) scm.Device {
	return struct {
		lockless
		scm.Locker
	}{lockless{d, d, d, d, d, d}, d}
}

// privateData makes a private data object, whose value is its label.
func (f *fixture) privateData(label string) uint {
	f.Helper()
	o, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true, CKA_PRIVATE, true, CKA_LABEL, label, CKA_VALUE, label))
	f.ok(err)
	return o
}

// showsData checks that private data objects are found and read.
func (f *fixture) showsData(labels ...string) {
	f.Helper()
	for _, label := range labels {
		f.reads(f.one(CKA_CLASS, CKO_DATA, CKA_LABEL, label), CKA_VALUE, label)
	}
}

// unrooted makes a token on a device that has no lock, with a private object, and returns its
// directory.
func unrooted(t testing.TB) (dir string) {
	t.Helper()
	f := opening(t, t.TempDir(), withoutLock)
	f.ok(f.InitToken(0, soPIN, []byte("token")))
	if f.log.count("warning") != 1 || f.log.count("sealed by the PIN alone") != 1 {
		t.Errorf("C_InitToken logged %q", f.log.list)
	}
	f.h = f.session(CKF_RW_SESSION)
	f.login(CKU_SO)
	f.ok(f.InitPIN(f.h, userPIN))
	f.ok(f.Logout(f.h))
	f.login(CKU_USER)
	f.privateData("first")
	f.showsData("first")
	if n := f.device.Calls("Lock") + f.device.Calls("Unlock"); n > 0 {
		t.Errorf("%d calls of a lock that is not there", n)
	}
	f.Close()
	return f.dir
}

// TestLoginUnlocksOnce: the root costs a login one call of the device, and nobody else any.
func TestLoginUnlocksOnce(t *testing.T) {
	f := newPublic(t)
	for _, user := range []uint{CKU_USER, CKU_SO} {
		f.device.Reset()
		f.search()
		if n := f.device.Calls("Unlock"); n != 0 {
			t.Errorf("a public session unlocks %d times", n)
		}
		f.login(user)
		f.search()
		if locked, unlocked := f.device.Calls("Lock"), f.device.Calls("Unlock"); locked != 0 || unlocked != 1 {
			t.Errorf("user %d: locked %d times, unlocked %d times", user, locked, unlocked)
		}
		f.ok(f.Logout(f.h))
	}
}

// TestFirstLoginAddsRoot: a token without a root gets one from the device that has a lock now, and
// then needs it.
func TestFirstLoginAddsRoot(t *testing.T) {
	dir := unrooted(t)
	f := opening(t, dir, sealless)
	f.h = f.session(CKF_RW_SESSION)
	for _, calls := range []struct{ lock, unlock int }{{1, 1}, {0, 1}} {
		f.device.Reset()
		f.login(CKU_USER)
		if lock, unlock := f.device.Calls("Lock"), f.device.Calls("Unlock"); lock != calls.lock || unlock != calls.unlock {
			t.Errorf("locked %d times, unlocked %d times, want %v", lock, unlock, calls)
		}
		f.showsData("first")
		f.ok(f.Logout(f.h))
	}
	f.login(CKU_USER)
	f.privateData("second")
	if locked, err := f.store.LockedRoot(); err != nil || len(locked) == 0 || len(f.log.list) > 0 {
		t.Errorf("root %x, %v, logged %q", locked, err, f.log.list)
	}
	f.Close()
	f = opening(t, dir, withoutLock)
	f.h = f.session(CKF_RW_SESSION)
	f.login(CKU_USER)
	f.checkLeftOut("first", "second")
}

// TestOfficerAddsRoot: so does the login of the SO, who sees no private object.
func TestOfficerAddsRoot(t *testing.T) {
	f := opening(t, unrooted(t), sealless)
	f.h = f.session(CKF_RW_SESSION)
	f.login(CKU_SO)
	if locked, err := f.store.LockedRoot(); err != nil || len(locked) == 0 || len(f.search(CKA_LABEL, "first")) > 0 {
		t.Errorf("root %x, %v", locked, err)
	}
	f.ok(f.Logout(f.h))
	f.login(CKU_USER)
	f.showsData("first")
}

// checkLeftOut checks that private records stay closed, that it was told once, and that all else works.
func (f *fixture) checkLeftOut(labels ...string) {
	f.Helper()
	for _, label := range labels {
		if n := len(f.search(CKA_LABEL, label)); n > 0 {
			f.Errorf("%d objects %q", n, label)
		}
	}
	_, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true, CKA_PRIVATE, true))
	want(f, "a new private object", err, CKR_DEVICE_ERROR)
	_, err = f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true, CKA_PRIVATE, false, CKA_LABEL, "public"))
	f.ok(err)
	_, err = f.sign(CKM_EDDSA, f.private(14), digest32)
	want(f, "sign", err, CKR_OK)
	f.ok(f.DestroyObject(f.h, f.one(CKA_LABEL, "public")))
	if f.log.count("error") != 1 || f.log.count("flash.db") != 1 {
		f.Errorf("logged %q, want one line that says what to do", f.log.list)
	}
}

// TestRootIsLost: where the SCM does not open the root, private objects are left out and stay in the
// store, until it does.
func TestRootIsLost(t *testing.T) {
	f := newUser(t)
	f.privateData("first")
	named := f.newLabelled("of a key")
	f.ok(f.SetAttributeValue(f.h, named, is(CKA_LABEL, "named")))
	f.ok(f.Logout(f.h))
	f.device.Before("Unlock", func(int) error { return scm.ErrAuth })
	f.login(CKU_USER)
	f.checkLeftOut("first", "named")
	f.ok(f.Logout(f.h))
	f.device.Reset()
	f.login(CKU_USER)
	f.showsData("first")
	f.one(CKA_LABEL, "named", CKA_CLASS, CKO_PRIVATE_KEY)
}

// TestRootTakenOut: the same where somebody has taken the root out of the file.
func TestRootTakenOut(t *testing.T) {
	f := newUser(t)
	f.privateData("first")
	f.Close()
	db, err := sql.Open("sqlite3", filepath.Join(f.dir, "token.db"))
	f.ok(err)
	_, err = db.Exec("UPDATE token SET root = x''")
	f.ok(errors.Join(err, db.Close()))
	f = openIn(t, f.dir, Options{})
	f.h = f.session(CKF_RW_SESSION)
	f.login(CKU_USER)
	f.checkLeftOut("first")
}

// TestDeviceFailsAtRoot: a failure that may pass is one of the login, and does not show a token
// without its private objects.
func TestDeviceFailsAtRoot(t *testing.T) {
	f := newPublic(t)
	f.device.Fail("Unlock", 1, scm.ErrDevice)
	want(t, "Login", f.Login(f.h, CKU_USER, userPIN), CKR_DEVICE_ERROR)
	if f.log.count("error") != 1 {
		t.Errorf("logged %q", f.log.list)
	}
	f.login(CKU_USER)
	f.showsData()
}

// TestRootIsNotAdded: a device that does not lock, or does not give back what it has locked, costs no
// login and no object; the next login tries again.
func TestRootIsNotAdded(t *testing.T) {
	dir := unrooted(t)
	for _, method := range []string{"Lock", "Unlock"} {
		f := opening(t, dir, sealless)
		f.h = f.session(CKF_RW_SESSION)
		f.device.Fail(method, 1, scm.ErrDevice)
		f.login(CKU_USER)
		f.showsData("first")
		if f.log.count("warning") != 1 {
			t.Errorf("%s fails: logged %q", method, f.log.list)
		}
		f.Close()
	}
	f := opening(t, dir, func(d *scmtest.Faulty) scm.Device {
		return struct {
			lockless
			scm.Locker
		}{lockless{d, d, d, d, d, d}, forgetful{d}}
	})
	f.h = f.session(CKF_RW_SESSION)
	f.login(CKU_USER)
	f.showsData("first")
	if locked, err := f.store.LockedRoot(); err != nil || len(locked) > 0 {
		t.Errorf("root %x, %v", locked, err)
	}
}

// TestInitTokenWithoutRoot: a lock that fails costs no token, but is told; one whose SCM is gone is not
// begun. The next login has the lock tried again.
func TestInitTokenWithoutRoot(t *testing.T) {
	for _, method := range []string{"Lock", "Unlock"} {
		f := newBlank(t)
		f.token()
		f.device.Fail(method, 1, scm.ErrDestroyed)
		want(t, "InitToken", f.InitToken(0, soPIN, []byte("token")), CKR_DEVICE_ERROR)
		f.again()
		f.token()
		f.device.Fail(method, 1, scm.ErrInput)
		f.ok(f.InitToken(0, soPIN, []byte("token")))
		if f.log.count("sealed by the PIN alone") != 1 {
			t.Errorf("%s fails: logged %q", method, f.log.list)
		}
		if locked, err := f.store.LockedRoot(); err != nil || len(locked) > 0 {
			t.Errorf("root %x, %v", locked, err)
		}
		f.device.Reset()
		f.h = f.session(CKF_RW_SESSION)
		f.login(CKU_SO)
		if locked, err := f.store.LockedRoot(); err != nil || len(locked) == 0 {
			t.Errorf("root %x, %v", locked, err)
		}
	}
}

// forgetful is a lock that gives something else back.
type forgetful struct{ scm.Locker }

func (forgetful) Unlock([]byte, scm.LockKey) ([]byte, error) {
	return make([]byte, store.RootSize), nil
}

// TestRootOfAnotherProcess: a user whose token gets its root from another process goes on, under the
// same handles, and loses nothing.
func TestRootOfAnotherProcess(t *testing.T) {
	dir := unrooted(t)
	f := opening(t, dir, sealless)
	f.h = f.session(CKF_RW_SESSION)
	f.device.Fail("Lock", 1, scm.ErrBusy)
	f.login(CKU_USER)
	first := f.one(CKA_LABEL, "first")
	f.device.Reset()
	other := opening(t, dir, sealless)
	other.h = other.session(CKF_RW_SESSION)
	other.login(CKU_USER)
	other.privateData("second")
	f.reads(first, CKA_VALUE, "first")
	f.privateData("third")
	for _, g := range []*fixture{f, other} {
		g.showsData("first", "second", "third")
		if info, err := g.GetSessionInfo(g.h); err != nil || info.State != CKS_RW_USER_FUNCTIONS {
			t.Errorf("%+v, %v", info, err)
		}
	}
	if n := f.device.Calls("Unlock"); n != 1 {
		t.Errorf("it has unlocked the root %d times", n)
	}
}

// TestRootDuringCall: a call that is under way while the token gets its root writes nothing that only
// the secret opens.
func TestRootDuringCall(t *testing.T) {
	dir := unrooted(t)
	f := opening(t, dir, sealless)
	f.h = f.session(CKF_RW_SESSION)
	f.device.Fail("Lock", 1, scm.ErrBusy)
	f.login(CKU_USER)
	other := opening(t, dir, sealless)
	other.h = other.session(CKF_RW_SESSION)
	template := is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true, CKA_PRIVATE, true, CKA_LABEL, "during")
	err := f.within(func(s *session) error {
		other.login(CKU_USER)
		a, err := template2attributes(template)
		f.ok(err)
		_, err = s.keepObject(a, nil)
		return err
	})
	want(t, "a private object in the middle", err, CKR_USER_NOT_LOGGED_IN)
	f.privateData("after")
	for _, g := range []*fixture{f, other} {
		g.showsData("first", "after")
		if n := len(g.search(CKA_LABEL, "during")); n > 0 {
			t.Errorf("%d objects of a call that failed", n)
		}
	}
}

func template2attributes(list []Attribute) (attributes, error) {
	a, err := template(list)
	if err == nil {
		a.addMissing(dataObject.initial())
	}
	return a, err
}

// TestNewPINs: the user sees private objects after each way to a new PIN.
func TestNewPINs(t *testing.T) {
	f := newUser(t)
	f.privateData("first")
	f.ok(f.SetPIN(f.h, userPIN, []byte("second PIN")))
	f.ok(f.Logout(f.h))
	f.ok(f.Login(f.h, CKU_USER, []byte("second PIN")))
	f.showsData("first")
	f.ok(f.Logout(f.h))
	f.login(CKU_SO)
	f.ok(f.InitPIN(f.h, []byte("third PIN")))
	f.ok(f.SetPIN(f.h, soPIN, []byte("another SO PIN")))
	f.ok(f.Logout(f.h))
	f.ok(f.Login(f.h, CKU_USER, []byte("third PIN")))
	f.showsData("first")
}

// TestPrivateObjectsInChild: a child opens the root by itself, with one call, and none once the
// parent has logged out.
func TestPrivateObjectsInChild(t *testing.T) {
	p := newParent(t)
	p.privateData("first")
	child := p.child()
	child.showsData("first")
	child.privateData("of the child")
	if n := child.device.Calls("Unlock"); n != 1 {
		t.Errorf("it has unlocked the root %d times", n)
	}
	p.showsData("of the child")
	p.ok(p.Logout(p.h))
	child = p.child()
	if n := len(child.search(CKA_LABEL, "first")); n > 0 || child.device.Calls("Unlock") > 0 {
		t.Errorf("%d private objects without a login, unlocked %d times", n, child.device.Calls("Unlock"))
	}
	p.login(CKU_USER)
	lost := p.child()
	lost.slots[0].options.Open = func() (scm.Device, *store.Store, error) {
		d, s, err := lost.open()
		if err == nil {
			lost.device.Before("Unlock", func(int) error { return scm.ErrAuth })
		}
		return d, s, err
	}
	lost.checkLeftOut("first")
}

// TestRootOfNewToken: C_InitToken gives the token another root.
func TestRootOfNewToken(t *testing.T) {
	f := newPublic(t)
	before, err := f.store.LockedRoot()
	f.ok(err)
	f.ok(f.CloseSession(f.h))
	f.ok(f.InitToken(0, soPIN, []byte("token")))
	after, err := f.store.LockedRoot()
	if err != nil || len(before) == 0 || len(after) == 0 || bytes.Equal(before, after) {
		t.Errorf("%x, and %x before, %v", after, before, err)
	}
}

// TestResetBehindDriver: an SCM that has new keys, and does not tell so, lets its user in, without the
// private objects that its old keys opened.
func TestResetBehindDriver(t *testing.T) {
	if !overVendor() {
		t.Skip("the soft SCM knows its token")
	}
	f := newUser(t)
	f.privateData("first")
	f.ok(f.Logout(f.h))
	f.ok(f.world().Reset())
	f.reopen(0)
	f.login(CKU_USER)
	f.checkLeftOut("first")
	if there, err := f.store.Sealed(nil); err != nil || !there {
		t.Errorf("they are not in the store: %v, %v", there, err)
	}
}
