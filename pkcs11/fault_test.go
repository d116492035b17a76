// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"fmt"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestFaults fails one call of the device in each function that makes one. The
// caller gets the code, and the next call works.
func TestFaults(t *testing.T) {
	f := newUser(t)
	key := f.private(0)
	_, base := f.pairOn(scm.X25519, CKA_DERIVE, true)
	token := []any{CKA_TOKEN, true}
	sign := func() error { _, err := f.sign(CKM_ECDSA, key, digest32); return err }
	parts := func() error { _, err := f.signParts(CKM_ECDSA_SHA256, key, digest32); return err }
	find := func() error {
		f.token().forgetObjects()
		defer f.FindObjectsFinal(f.h)
		return f.FindObjectsInit(f.h, nil)
	}
	destroy := func() error {
		for _, h := range f.search(CKA_LABEL, "destroy me") {
			if err := f.DestroyObject(f.h, h); err != nil {
				return err
			}
		}
		return nil
	}
	f.pair(scm.P256, nil, with(token, CKA_LABEL, "destroy me"))
	for _, c := range []struct {
		name, method string
		call         func() error
	}{
		{"C_Sign", "Sign", sign},
		{"C_SignFinal", "Sign", parts},
		{"C_FindObjectsInit", "Keys", find},
		{"C_GenerateKeyPair", makingMethod(), func() error { _, _, err := f.tryPair(scm.P256, token, token); return err }},
		{"C_DestroyObject", "Remove", destroy},
		{"C_DeriveKey", "Agree", func() error { _, err := f.derive(CKM_ECDH1_DERIVE, base, publicOn(t, scm.X25519)); return err }},
		{"C_GenerateRandom", "Random", func() error { return f.GenerateRandom(f.h, make([]byte, 8)) }},
		{"C_CreateObject", "Random", func() error { return create(f, CKO_DATA) }},
		{"C_GetTokenInfo", "Info", func() error { _, err := f.GetTokenInfo(0); return err }},
	} {
		f.fails(c.name, c.method, c.call)
	}
}

// fails has a call of the device fail for each cause.
func (f *fixture) fails(name, method string, call func() error) {
	f.Helper()
	for cause, wanted := range map[error]Error{
		scm.ErrDevice: CKR_DEVICE_ERROR, scm.ErrAbsent: CKR_DEVICE_REMOVED, scm.ErrDestroyed: CKR_DEVICE_ERROR, scm.ErrSealed: CKR_USER_NOT_LOGGED_IN,
	} {
		f.device.Fail(method, 1, cause)
		if cause == scm.ErrSealed && method == "Remove" {
			wanted = CKR_OBJECT_HANDLE_INVALID // the only code that it has for one who logged out
		}
		want(f, name+", "+cause.Error(), call(), wanted)
	}
	want(f, name+" afterwards", call(), CKR_OK)
}

// TestFaultsInSlotAsked is TestFaults for a key pair in a slot of the caller's choice.
func TestFaultsInSlotAsked(t *testing.T) {
	softOnly(t, noPlace)
	f := newUser(t)
	slot := 100
	for _, method := range []string{"Draft", "Place"} {
		f.fails("C_GenerateKeyPair at, "+method, method, func() error {
			_, _, err := f.tryPair(scm.P256, []any{CKA_TOKEN, true}, []any{CKA_TOKEN, true, zkSlot, slot})
			slot++
			return err
		})
	}
	f.fails("C_GenerateKeyPair, Free", "Free", func() error {
		_, _, err := f.tryPair(scm.P256, []any{CKA_TOKEN, true}, []any{CKA_TOKEN, true})
		return err
	})
	if keys, err := f.device.Keys(); err != nil || len(f.records()) != 2*(len(keys)-scm.PermanentSlots) {
		t.Errorf("%d records of %d keys, %v", len(f.records()), len(keys), err)
	}
}

// TestFaultsInSessionPair is TestFaults for a key pair of a session.
func TestFaultsInSessionPair(t *testing.T) {
	softOnly(t, noSession)
	f := newUser(t)
	f.fails("C_GenerateKeyPair volatile", "GenerateVolatile", func() error { _, _, err := f.tryPair(scm.P256, nil, nil); return err })
}

// TestFaultEndsOperation: a signature that failed is over.
func TestFaultEndsOperation(t *testing.T) {
	f := newUser(t)
	key := f.private(0)
	f.ok(f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, key))
	f.device.Fail("Sign", 1, scm.ErrDevice)
	want(t, "sign", f.Sign(f.h, digest32, room(64)), CKR_DEVICE_ERROR)
	want(t, "again", f.Sign(f.h, digest32, room(64)), CKR_OPERATION_NOT_INITIALIZED)
}

// TestFaultInInitToken: whichever step of the device fails, the token has either
// the old PIN or the new state, and its keys.
func TestFaultInInitToken(t *testing.T) {
	for _, c := range []struct {
		method string
		call   int
	}{{"Unseal", 1}, {"Prepare", 1}, {"Unseal", 2}, {"Keys", 1}} {
		t.Run(fmt.Sprint(c.method, c.call), func(t *testing.T) {
			if c.method != "Keys" {
				softOnly(t, noSeal)
			}
			f := newPublic(t)
			f.ok(f.CloseSession(f.h))
			f.device.Fail(c.method, c.call, scm.ErrDevice)
			want(t, "C_InitToken", f.InitToken(0, soPIN, []byte("again")), CKR_DEVICE_ERROR)
			want(t, "C_InitToken again", f.InitToken(0, soPIN, []byte("again")), CKR_OK)
			f.h = f.session(CKF_RW_SESSION)
			f.login(CKU_SO)
			f.ok(f.InitPIN(f.h, userPIN))
			f.ok(f.Logout(f.h))
			f.login(CKU_USER)
			_, err := f.sign(CKM_ECDSA, f.private(0), digest32)
			want(t, "sign", err, CKR_OK)
		})
	}
}

// TestKeysThatStay: C_InitToken goes on when a key slot cannot be emptied, and
// succeeds when it need not be.
func TestKeysThatStay(t *testing.T) {
	for cause, wanted := range map[error]Error{
		scm.ErrSlotEmpty: CKR_OK, scm.ErrPermanent: CKR_OK, scm.ErrDevice: CKR_DEVICE_ERROR,
	} {
		f := newUser(t)
		f.tokenPair(scm.P256)
		f.tokenPair(scm.P256)
		f.ok(f.CloseSession(f.h))
		f.device.Fail("Remove", 1, cause)
		want(t, cause.Error(), f.InitToken(0, soPIN, []byte("again")), wanted)
		keys, err := f.device.Keys()
		f.ok(err)
		if n := len(keys); n != scm.PermanentSlots+1 {
			t.Errorf("%v: %d keys are left, want one in a user slot", cause, n)
		}
	}
}

// TestDeviceCalls counts: looking at objects costs none, once the slots are
// known; a signature costs one.
func TestDeviceCalls(t *testing.T) {
	f := newUser(t)
	private, public := f.private(0), f.public(0)
	pair := 5 // Draft, Free, Place, and two to look
	if overVendor() {
		pair = 3 // Generate, and two to look
	}
	for _, c := range []struct {
		name  string
		calls int
		call  func()
	}{
		{"find", 0, func() { f.search(); f.search(CKA_ID, []byte{3}) }},
		{"read", 0, func() { f.read(private, CKA_EC_POINT); f.read(public, CKA_LABEL) }},
		{"size", 0, func() { _, _ = f.GetObjectSize(f.h, private) }},
		{"sessions", 0, func() { _ = f.CloseSession(f.session(0)) }},
		{"mechanisms", 0, func() { f.mechanisms() }},
		{"digest", 0, func() {
			f.ok(f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}))
			f.ok(f.Digest(f.h, nil, room(32)))
		}},
		{"begin a signature", 0, func() {
			f.ok(f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, private))
			f.ok(f.Sign(f.h, digest32, sizeOnly()))
		}},
		{"finish it", 1, func() { f.ok(f.Sign(f.h, digest32, room(64))) }},
		{"sign in parts", 1, func() { _, _ = f.signParts(CKM_ECDSA_SHA256, private, digest32) }},
		{"change a label", 0, func() {
			f.ok(f.SetAttributeValue(f.h, private, is(CKA_LABEL, "x")))
			f.search()
		}},
		{"session object", 0, func() {
			_, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA))
			f.ok(err)
		}},
		{"token object, with a random name", 1, func() { f.ok(create(f, CKO_DATA)) }},
		{"random", 1, func() { f.ok(f.GenerateRandom(f.h, make([]byte, 1000))) }},
		{"key pair, and the slots that have changed", pair, func() { f.tokenPair(scm.P256); f.search() }},
	} {
		f.device.Reset()
		c.call()
		if n := f.device.Total(); n != c.calls {
			t.Errorf("%s: %d calls of the device, want %d", c.name, n, c.calls)
		}
	}
}
