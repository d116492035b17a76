// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"sync"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/board"
)

// destroyKeys has the SCM destroy its keys: in production mode, after a breach.
func destroyKeys(t testing.TB, d *soft.Device) {
	t.Helper()
	ok(t, d.LockBinding())
	_, err := d.Boot()
	ok(t, err)
	ok(t, d.SetPerimeterAction(0, board.ActionSelfDestruct))
	ok(t, d.InjectTamper(0))
}

// over is a session that has ended, with the code of the call that found out.
func (f *fixture) over(found Error) {
	f.Helper()
	want(f, "the call that finds out", f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}), found)
	want(f, "the next", f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}), CKR_SESSION_HANDLE_INVALID)
	_, err := f.GetSessionInfo(f.h)
	want(f, "C_GetSessionInfo", err, CKR_SESSION_HANDLE_INVALID)
}

// present reports whether the slot has a token, in both ways of asking.
func (f *fixture) present() bool {
	f.Helper()
	info, err := f.GetSlotInfo(0)
	f.ok(err)
	n := uint(1)
	f.ok(f.GetSlotListWithToken(Output[uint]{Buffer: make([]uint, 1), Length: &n}))
	there := info.Flags&CKF_TOKEN_PRESENT != 0
	if there != (n == 1) {
		f.Errorf("token present: %v, slots with a token: %d", there, n)
	}
	return there
}

// again lets the slot try to open its device at once.
func (f *fixture) again() {
	s := f.slots[0]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.life.failed = s.life.failed.Add(-openAgain)
}

// TestUnboundDevice: all processes lose the token at once, and have it again once the
// device is bound.
func TestUnboundDevice(t *testing.T) {
	f := newUser(t)
	other := f.another()
	world := f.world()
	f.watch()
	f.ok(world.InjectUnbind())
	for _, x := range []*fixture{f, other} {
		x.over(CKR_DEVICE_REMOVED)
		if x.present() {
			t.Error("the token is still there")
		}
		_, err := x.OpenSession(0, CKF_SERIAL_SESSION)
		want(t, "C_OpenSession", err, CKR_TOKEN_NOT_PRESENT)
		_, err = x.GetTokenInfo(0)
		want(t, "C_GetTokenInfo", err, CKR_TOKEN_NOT_PRESENT)
		if x.log.count("the device is gone") != 1 {
			t.Errorf("logged %q", x.log.list)
		}
	}
	f.ok(world.InjectRebind())
	for _, x := range []*fixture{f, other} {
		x.again()
		if !x.present() {
			t.Error("the token is not there again")
		}
		x.h = x.session(CKF_RW_SESSION)
		x.login(CKU_USER)
		_, err := x.sign(CKM_ECDSA, x.private(0), digest32)
		want(t, "sign", err, CKR_OK)
	}
}

// TestAbsentTokenIsAnEvent: callers who wait learn that a token went and came.
func TestAbsentTokenIsAnEvent(t *testing.T) {
	f := newUser(t)
	f.watch()
	world := f.world()
	for _, change := range []func() error{world.InjectUnbind, world.InjectRebind} {
		_, err := f.WaitForSlotEvent(CKF_DONT_BLOCK)
		want(t, "nothing", err, CKR_NO_EVENT)
		f.ok(change())
		f.again()
		_, err = f.WaitForSlotEvent(CKF_DONT_BLOCK)
		want(t, "event", err, CKR_OK)
	}
}

// TestDestroyedDevice: keys that are gone for good are a failure of the device, which
// stays in its slot, as do private objects in the store. It is told once.
func TestDestroyedDevice(t *testing.T) {
	f := newUser(t)
	f.privateData("first")
	other := f.another()
	f.watch()
	destroyKeys(t, f.world())
	for _, x := range []*fixture{f, other} {
		x.over(CKR_DEVICE_ERROR)
		for range 3 {
			_, err := x.OpenSession(0, CKF_SERIAL_SESSION)
			want(t, "C_OpenSession", err, CKR_DEVICE_ERROR)
		}
		if !x.present() {
			t.Error("the token is not in its slot")
		}
		if !overVendor() && (len(x.log.list) != 1 || x.log.count("private objects") != 1) {
			t.Errorf("logged %q, want one line that says what to do", x.log.list)
		}
		if n, err := x.store.Sealed(nil); err != nil || !n {
			t.Errorf("private objects in the store: %v, %v", n, err)
		}
	}
	f.ok(f.world().Reset())
	f.ok(f.InitToken(0, soPIN, []byte("again")))
	f.h = f.session(CKF_RW_SESSION)
	f.login(CKU_SO)
}

// TestCloseWithoutDevice: a session can be closed whatever its device does, also one
// that is back before anybody looks.
func TestCloseWithoutDevice(t *testing.T) {
	f := newUser(t)
	f.watch()
	f.device.Fail("Keys", 1, scm.ErrDestroyed)
	f.ok(f.world().InjectFault(board.Fault{})) // the device has changed
	f.ok(f.CloseSession(f.h))
	_, err := f.OpenSession(0, CKF_SERIAL_SESSION)
	want(t, "C_OpenSession, the first to ask the device", err, CKR_DEVICE_ERROR)
	f.h = f.session(CKF_RW_SESSION)
	f.login(CKU_USER)
}

// TestDaemonRestart: a connection that broke is made anew, and nobody notices.
func TestDaemonRestart(t *testing.T) {
	f := newUser(t)
	key := f.private(0)
	for range 3 {
		f.ok(f.world().InjectFault(board.Fault{Restart: true}))
		_, err := f.sign(CKM_ECDSA, key, digest32)
		want(t, "sign", err, CKR_OK)
	}
}

// TestDaemonGone: where it cannot be made anew, the device is opened anew.
func TestDaemonGone(t *testing.T) {
	softOnly(t, noReconnect)
	f := newUser(t)
	f.device.Before("Reconnect", func(int) error { return scm.ErrDevice })
	f.ok(f.world().InjectFault(board.Fault{Restart: true}))
	f.over(CKR_DEVICE_REMOVED)
	f.h = f.session(CKF_RW_SESSION)
	f.login(CKU_USER)
	_, err := f.sign(CKM_ECDSA, f.private(0), digest32)
	want(t, "sign", err, CKR_OK)
}

// TestPassingFailure: one call that failed ends no session.
func TestPassingFailure(t *testing.T) {
	f := newUser(t)
	for _, cause := range []error{scm.ErrAbsent, scm.ErrDestroyed, scm.ErrTimeout} {
		f.device.Fail("Random", 1, cause)
		if err := f.GenerateRandom(f.h, make([]byte, 8)); err == nil {
			t.Errorf("%v: no failure", cause)
		}
		want(t, cause.Error(), f.GenerateRandom(f.h, make([]byte, 8)), CKR_OK)
	}
}

// TestAbsenceUnderLoad: calls that are under way when the device goes end with codes
// for that, and nothing is left behind.
func TestAbsenceUnderLoad(t *testing.T) {
	f := newUser(t)
	world := f.world()
	key := f.private(0)
	var all sync.WaitGroup
	signed := make(chan bool)
	for range 8 {
		h := f.session(0)
		all.Go(func() {
			err := signIn(f, h, key)
			signed <- err == nil
			for err == nil {
				err = signIn(f, h, key)
			}
			if err != error(CKR_DEVICE_REMOVED) && err != error(CKR_SESSION_HANDLE_INVALID) {
				t.Errorf("sign: %v", err)
			}
		})
	}
	for range 8 {
		if !<-signed {
			t.Error("a signature failed before")
		}
	}
	f.ok(world.InjectUnbind())
	all.Wait()
	f.ok(world.InjectRebind())
	f.again()
	f.h = f.session(CKF_RW_SESSION)
	f.login(CKU_USER)
}

func signIn(f *fixture, h, key uint) error {
	if err := f.SignInit(h, &Mechanism{Type: CKM_ECDSA}, key); err != nil {
		return err
	}
	out, _ := buffer(signatureSize)
	return f.Sign(h, digest32, out)
}

// TestUseNeverWaits: a call does not wait for the one that is closing the token, which waits
// for calls that are under way, which may wait for this one.
func TestUseNeverWaits(t *testing.T) {
	token := newUser(t).token()
	underWay := token.acquire()
	closing := make(chan bool)
	go func() {
		token.inUse.Lock()
		close(closing)
		token.inUse.Unlock()
	}()
	for token.inUse.TryRLock() { // until the lock is asked for
		token.inUse.RUnlock()
	}
	if !underWay || token.acquire() {
		t.Error("a call can use a token that is being closed")
	}
	token.release()
	<-closing
}
