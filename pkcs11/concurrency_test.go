// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// caller makes calls at random, in sessions of its own, while others do the
// same: logging in and out, closing, changing. Calls may fail, but only with
// codes for what others can do to it.
type caller struct {
	f      *fixture
	random *rand.Rand
	h      uint
}

// expected are what a call can meet when others log out, close or destroy.
var expected = []Error{
	CKR_SESSION_HANDLE_INVALID, CKR_OBJECT_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN,
	CKR_USER_ALREADY_LOGGED_IN, CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_FAILED,
	CKR_CRYPTOKI_NOT_INITIALIZED, CKR_TEMPLATE_INCONSISTENT,
}

// step makes one call, and returns its error.
func (c *caller) step() error {
	f, h := c.f, c.h
	switch c.random.IntN(16) {
	case 0:
		return f.CloseSession(h)
	case 1:
		return f.Logout(h)
	case 2:
		return f.Login(h, CKU_USER, userPIN)
	case 3:
		_, err := f.CreateObject(h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, c.random.IntN(2) == 0, CKA_LABEL, "many"))
		return err
	case 4:
		return c.each(func(o uint) error { return f.DestroyObject(h, o) })
	case 5:
		return c.each(func(o uint) error { return f.SetAttributeValue(h, o, is(CKA_APPLICATION, fmt.Sprint(o))) })
	case 6:
		_, _, err := f.GenerateKeyPair(h, &Mechanism{Type: CKM_EC_KEY_PAIR_GEN}, is(CKA_EC_PARAMS, curves[scm.P256].encodeParams()), nil)
		return err
	case 7:
		_, err := f.GetSessionInfo(h)
		return err
	case 8:
		_, err := f.GetTokenInfo(0)
		return err
	case 9:
		return f.SessionCancel(h, ^uint(0))
	}
	return c.sign()
}

// each calls do with one of the objects that all callers share.
func (c *caller) each(do func(uint) error) error {
	found, err := c.find(is(CKA_LABEL, "many"))
	if err != nil || len(found) == 0 {
		return err
	}
	return do(found[c.random.IntN(len(found))])
}

func (c *caller) find(template []Attribute) ([]uint, error) {
	if err := c.f.FindObjectsInit(c.h, template); err != nil {
		return nil, err
	}
	found := make([]uint, 100)
	n, err := c.f.FindObjects(c.h, found)
	if err != nil {
		return nil, err
	}
	return found[:n], c.f.FindObjectsFinal(c.h)
}

// sign signs with a permanent key. What is signed verifies.
func (c *caller) sign() error {
	slot := c.random.IntN(14)
	private, err := c.find(is(CKA_CLASS, CKO_PRIVATE_KEY, zkSlot, slot))
	if err != nil || len(private) == 0 {
		return err
	}
	if err := c.f.SignInit(c.h, &Mechanism{Type: CKM_ECDSA}, private[0]); err != nil {
		return err
	}
	out, signature := buffer(64)
	if err := c.f.Sign(c.h, digest32, out); err != nil {
		return err
	}
	public, err := c.find(is(CKA_CLASS, CKO_PUBLIC_KEY, zkSlot, slot))
	if err != nil {
		return err
	}
	if err := c.f.VerifyInit(c.h, &Mechanism{Type: CKM_ECDSA}, public[0]); err != nil {
		return err
	}
	return c.f.Verify(c.h, digest32, signature)
}

func (c *caller) run(steps int) {
	for range steps {
		if c.h == 0 {
			h, err := c.f.OpenSession(0, CKF_SERIAL_SESSION|CKF_RW_SESSION)
			if err == error(CKR_CRYPTOKI_NOT_INITIALIZED) {
				return
			}
			want(c.f, "open", err, CKR_OK)
			c.h = h
		}
		err := c.step()
		if e, known := err.(Error); err != nil && (!known || !slices.Contains(expected, e)) {
			c.f.Errorf("call: %v", err)
		}
		if err == error(CKR_SESSION_HANDLE_INVALID) || c.random.IntN(20) == 0 {
			_ = c.f.CloseSession(c.h) // may be closed already
			c.h = 0
		}
	}
}

// callers is how many call at the same time.
const callers = 16

func TestConcurrency(t *testing.T) {
	f := newUser(t)
	var all sync.WaitGroup
	for i := range uint64(callers) {
		all.Go(func() { (&caller{f: f, random: rand.New(rand.NewPCG(i, 1))}).run(40) })
	}
	all.Wait()
	f.ok(f.CloseAllSessions(0))
	if n := f.token().sessions.all.Load(); n != 0 {
		t.Errorf("%d sessions are counted after all are closed", n)
	}
	if user := f.token().user(); user != nobody {
		t.Errorf("user %d is logged in without a session", user)
	}
	f.h = f.session(CKF_RW_SESSION)
	f.login(CKU_USER)
	_, err := f.sign(CKM_ECDSA, f.private(0), digest32)
	want(t, "sign afterwards", err, CKR_OK)
	for _, o := range f.token().mine.table.all {
		t.Errorf("object %d has outlived its session", o.handle)
	}
}

// TestCloseWhileCalling closes the provider under its callers.
func TestCloseWhileCalling(t *testing.T) {
	f := newUser(t)
	var all sync.WaitGroup
	for i := range uint64(callers) {
		all.Go(func() { (&caller{f: f, random: rand.New(rand.NewPCG(i, 2))}).run(1 << 30) })
	}
	for range 200 {
		_, _ = f.GetSessionInfo(f.h) // gives the callers some time
	}
	f.Close()
	all.Wait()
	_, err := f.GetSessionInfo(f.h)
	want(t, "a call afterwards", err, CKR_CRYPTOKI_NOT_INITIALIZED)
}

// TestSlowDevice: a call that waits for the device keeps no other session
// waiting, nor the question what the session is doing.
func TestSlowDevice(t *testing.T) {
	f := newUser(t)
	key := f.private(0)
	f.ok(f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, key))
	waiting, release := make(chan bool), make(chan bool)
	f.device.Before("Sign", func(int) error {
		waiting <- true
		<-release
		return nil
	})
	signed := make(chan error)
	go func() { signed <- f.Sign(f.h, digest32, room(64)) }()
	<-waiting
	_, err := f.GetSessionInfo(f.h)
	want(t, "the session's state", err, CKR_OK)
	busy := f.h
	f.h = f.session(CKF_RW_SESSION)
	f.read(key, CKA_LABEL)
	f.search(CKA_LABEL, "x")
	f.ok(f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}))
	f.ok(f.Digest(f.h, digest32, room(32)))
	f.ok(create(f, CKO_DATA))
	close(release)
	want(t, "the slow call", <-signed, CKR_OK)
	f.h = busy
}
