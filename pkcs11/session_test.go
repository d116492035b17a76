// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"testing"

	"libzk_pkcs11/internal/scm"
)

func TestOpenSession(t *testing.T) {
	f := newPublic(t)
	for _, c := range []struct {
		name  string
		slot  uint
		flags uint
		code  Error
	}{
		{"R/O", 0, CKF_SERIAL_SESSION, CKR_OK},
		{"R/W", 0, CKF_SERIAL_SESSION | CKF_RW_SESSION, CKR_OK},
		{"parallel", 0, CKF_RW_SESSION, CKR_SESSION_PARALLEL_NOT_SUPPORTED},
		{"no slot", 1, CKF_SERIAL_SESSION, CKR_SLOT_ID_INVALID},
	} {
		h, err := f.OpenSession(c.slot, c.flags)
		want(t, c.name, err, c.code)
		if (h != 0) != (c.code == CKR_OK) {
			t.Errorf("%s: handle %d", c.name, h)
		}
	}
}

func TestSessionCount(t *testing.T) {
	f := newPublic(t)
	token := f.token()
	token.sessions.all.Store(maxSessions)
	_, err := f.OpenSession(0, CKF_SERIAL_SESSION|CKF_RW_SESSION)
	want(t, "one too many", err, CKR_SESSION_COUNT)
	if all, rw := token.sessions.all.Load(), token.sessions.rw.Load(); all != maxSessions || rw != 1 {
		t.Errorf("%d sessions, %d R/W", all, rw)
	}
	token.sessions.all.Store(1)
	f.session(0)
}

// TestHandlesAreNeverReused: of sessions or objects.
func TestHandlesAreNeverReused(t *testing.T) {
	f := newPublic(t)
	seen := map[uint]bool{f.h: true}
	for range 50 {
		h := f.session(CKF_RW_SESSION)
		object, err := f.CreateObject(h, is(CKA_CLASS, CKO_DATA))
		f.ok(err)
		if seen[h] || seen[object] || h == 0 || object == 0 {
			t.Fatalf("handles %d and %d were there before", h, object)
		}
		seen[h], seen[object] = true, true
		f.ok(f.CloseSession(h))
		want(t, "closed session", f.CloseSession(h), CKR_SESSION_HANDLE_INVALID)
	}
}

// TestEveryFunctionChecksTheSession, and that the provider has not been closed.
func TestEveryFunctionChecksTheSession(t *testing.T) {
	f := newPublic(t)
	var calls = map[string]func(h uint) error{
		"C_CloseSession":              f.CloseSession,
		"C_GetSessionInfo":            func(h uint) error { _, err := f.GetSessionInfo(h); return err },
		"C_SessionCancel":             func(h uint) error { return f.SessionCancel(h, 0) },
		"C_GetOperationState":         func(h uint) error { return f.GetOperationState(h, sizeOnly()) },
		"C_GetSessionValidationFlags": func(h uint) error { _, err := f.GetSessionValidationFlags(h, CKS_LAST_VALIDATION_OK); return err },
		"C_SetOperationState":         func(h uint) error { return f.SetOperationState(h, nil, 0, 0) },
		"C_Login":                     func(h uint) error { return f.Login(h, CKU_USER, userPIN) },
		"C_Logout":                    f.Logout,
		"C_InitPIN":                   func(h uint) error { return f.InitPIN(h, userPIN) },
		"C_SetPIN":                    func(h uint) error { return f.SetPIN(h, userPIN, userPIN) },
		"C_CreateObject":              func(h uint) error { _, err := f.CreateObject(h, nil); return err },
		"C_CopyObject":                func(h uint) error { _, err := f.CopyObject(h, 1, nil); return err },
		"C_DestroyObject":             func(h uint) error { return f.DestroyObject(h, 1) },
		"C_GetObjectSize":             func(h uint) error { _, err := f.GetObjectSize(h, 1); return err },
		"C_GetAttributeValue":         func(h uint) error { return f.GetAttributeValue(h, 1, nil) },
		"C_SetAttributeValue":         func(h uint) error { return f.SetAttributeValue(h, 1, nil) },
		"C_FindObjectsInit":           func(h uint) error { return f.FindObjectsInit(h, nil) },
		"C_FindObjects":               func(h uint) error { _, err := f.FindObjects(h, nil); return err },
		"C_FindObjectsFinal":          f.FindObjectsFinal,
		"KeysInSlot":                  func(h uint) error { _, err := f.KeysInSlot(h, 0); return err },
		"C_DigestInit":                func(h uint) error { return f.DigestInit(h, nil) },
		"C_Digest":                    func(h uint) error { return f.Digest(h, nil, sizeOnly()) },
		"C_DigestUpdate":              func(h uint) error { return f.DigestUpdate(h, nil) },
		"C_DigestKey":                 func(h uint) error { return f.DigestKey(h, 1) },
		"C_DigestFinal":               func(h uint) error { return f.DigestFinal(h, sizeOnly()) },
		"C_SignInit":                  func(h uint) error { return f.SignInit(h, nil, 0) },
		"C_Sign":                      func(h uint) error { return f.Sign(h, nil, sizeOnly()) },
		"C_SignUpdate":                func(h uint) error { return f.SignUpdate(h, nil) },
		"C_SignFinal":                 func(h uint) error { return f.SignFinal(h, sizeOnly()) },
		"C_VerifyInit":                func(h uint) error { return f.VerifyInit(h, nil, 0) },
		"C_Verify":                    func(h uint) error { return f.Verify(h, nil, nil) },
		"C_VerifyUpdate":              func(h uint) error { return f.VerifyUpdate(h, nil) },
		"C_VerifyFinal":               func(h uint) error { return f.VerifyFinal(h, nil) },
		"C_GenerateKeyPair":           func(h uint) error { _, _, err := f.GenerateKeyPair(h, nil, nil, nil); return err },
		"C_DeriveKey":                 func(h uint) error { _, err := f.DeriveKey(h, nil, 0, nil); return err },
		"C_SeedRandom":                func(h uint) error { return f.SeedRandom(h, nil) },
		"C_GenerateRandom":            func(h uint) error { return f.GenerateRandom(h, nil) },
	}
	for name, call := range calls {
		for _, h := range []uint{0, f.h + 1000, CK_UNAVAILABLE_INFORMATION} {
			want(t, name, call(h), CKR_SESSION_HANDLE_INVALID)
		}
	}
	f.Close()
	for name, call := range calls {
		want(t, name+" after C_Finalize", call(f.h), CKR_CRYPTOKI_NOT_INITIALIZED)
	}
	_, info := f.GetInfo()
	_, slot := f.GetSlotInfo(0)
	_, token := f.GetTokenInfo(0)
	_, open := f.OpenSession(0, CKF_SERIAL_SESSION)
	_, wait := f.WaitForSlotEvent(CKF_DONT_BLOCK)
	_, mechanism := f.GetMechanismInfo(0, CKM_ECDSA)
	for name, err := range map[string]error{
		"C_GetInfo": info, "C_GetSlotInfo": slot, "C_GetTokenInfo": token, "C_OpenSession": open,
		"C_WaitForSlotEvent": wait, "C_GetMechanismInfo": mechanism,
		"C_GetSlotList": f.GetSlotList(Output[uint]{Length: new(uint)}), "C_CloseAllSessions": f.CloseAllSessions(0),
	} {
		want(t, name+" after C_Finalize", err, CKR_CRYPTOKI_NOT_INITIALIZED)
	}
}

// TestCloseErases: closing the provider closes what it opened, and the device
// forgets its volatile keys.
func TestCloseErases(t *testing.T) {
	f := newUser(t)
	f.pairOn(scm.P256)
	f.Close()
	if f.device.Calls("Close") != 1 {
		t.Error("the device was not closed")
	}
	if _, err := f.store.Token(); err == nil {
		t.Error("the store was not closed")
	}
}

func TestGetInfo(t *testing.T) {
	info, err := newBlank(t).GetInfo()
	ok(t, err)
	if info.Cryptoki != (Version{3, 2}) || len(info.Manufacturer) > 32 || len(info.Description) > 32 || info.Manufacturer == "" {
		t.Errorf("%+v", info)
	}
}

func TestRandom(t *testing.T) {
	f := newPublic(t)
	a, b := make([]byte, 32), make([]byte, 32)
	f.ok(f.GenerateRandom(f.h, a))
	f.ok(f.GenerateRandom(f.h, b))
	if string(a) == string(b) || string(a) == string(make([]byte, 32)) {
		t.Errorf("%x and %x are not random", a, b)
	}
	f.device.Fail("Random", 1, scm.ErrDevice)
	want(t, "device failure", f.GenerateRandom(f.h, a), CKR_DEVICE_ERROR)
}

// TestSeed: each seed, and each call after one, changes what comes of a device that
// always gives the same bytes; the same seeds give the same.
func TestSeed(t *testing.T) {
	stream := func(seeds ...string) string {
		var s seed
		for _, x := range seeds {
			s.addSeed([]byte(x))
		}
		out := make([]byte, 100)
		s.maskBytes(out[:50])
		s.maskBytes(out[50:])
		return string(out)
	}
	none := string(make([]byte, 100))
	if stream() != none {
		t.Error("bytes are masked without a seed")
	}
	seen := map[string]string{none: "none"}
	for _, seeds := range [][]string{{""}, {"a"}, {"b"}, {"a", "b"}, {"b", "a"}} {
		out := stream(seeds...)
		if other, known := seen[out]; known || out != stream(seeds...) || out[:50] == out[50:] {
			t.Errorf("seeds %q: %x, as %s", seeds, out, other)
		}
		seen[out] = "others"
	}
}

// TestSeedRandom takes seeds, and goes on with the device's bytes.
func TestSeedRandom(t *testing.T) {
	f := newPublic(t)
	f.ok(f.SeedRandom(f.h, []byte("seed")))
	a, b := make([]byte, 32), make([]byte, 32)
	f.ok(f.GenerateRandom(f.h, a))
	f.ok(f.SeedRandom(f.h, []byte("seed")))
	f.ok(f.GenerateRandom(f.h, b))
	if string(a) == string(b) {
		t.Errorf("%x twice", a)
	}
}
