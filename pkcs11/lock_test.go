// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"fmt"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// zkLock is CKM_ZK_LOCK with a parameter.
func zkLock(parameter ...byte) *Mechanism { return &Mechanism{Type: CKM_ZK_LOCK, Parameter: parameter} }

// encrypt and decrypt lock and unlock in one part.
func (f *fixture) encrypt(m *Mechanism, data []byte) ([]byte, error) {
	if err := f.EncryptInit(f.h, m, CK_INVALID_HANDLE); err != nil {
		return nil, err
	}
	return result(func(out Output[byte]) error { return f.Encrypt(f.h, data, out) })
}

func (f *fixture) decrypt(m *Mechanism, locked []byte) ([]byte, error) {
	if err := f.DecryptInit(f.h, m, CK_INVALID_HANDLE); err != nil {
		return nil, err
	}
	return result(func(out Output[byte]) error { return f.Decrypt(f.h, locked, out) })
}

// result asks a call for the size of its result and then for the result.
func result(call func(Output[byte]) error) ([]byte, error) {
	size := sizeOnly()
	if err := call(size); err != nil {
		return nil, err
	}
	out, b := buffer(int(*size.Length))
	err := call(out)
	return b[:*out.Length], err
}

func TestLock(t *testing.T) {
	f := newUser(t)
	for _, size := range []int{0, 1, 4, 15, 16, 17, 131072} {
		for _, m := range []*Mechanism{zkLock(), zkLock(CK_FALSE), zkLock(CK_TRUE)} {
			name := fmt.Sprint(size, " bytes, ", m.Parameter)
			plain := bytes.Repeat([]byte("p"), size)
			locked, err := f.encrypt(m, plain)
			want(t, name, err, CKR_OK)
			if len(locked) != lockedSize(size) {
				t.Errorf("%s: %d bytes locked, told %d", name, len(locked), lockedSize(size))
			}
			got, err := f.decrypt(m, locked)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		}
	}
	if n := lockedSize(4); n != 88 {
		t.Errorf("4 bytes become %d, the vendor's module makes 88 of them", n)
	}
}

// TestLockInParts: what comes out does not depend on how the data came in.
func TestLockInParts(t *testing.T) {
	f := newUser(t)
	plain := []byte("some secret data of more than a block")
	f.ok(f.EncryptInit(f.h, zkLock(), CK_INVALID_HANDLE))
	for _, part := range [][]byte{plain[:5], nil, plain[5:]} {
		f.ok(f.EncryptUpdate(f.h, part, sizeOnly())) // asks only
		f.ok(f.EncryptUpdate(f.h, part, room(0)))
	}
	locked, err := result(func(out Output[byte]) error { return f.EncryptFinal(f.h, out) })
	f.ok(err)
	f.ok(f.DecryptInit(f.h, zkLock(), CK_INVALID_HANDLE))
	for _, part := range [][]byte{locked[:8], locked[8:]} {
		out := room(100)
		f.ok(f.DecryptUpdate(f.h, part, out))
		if *out.Length != 0 {
			t.Errorf("%d bytes came out before the signature was checked", *out.Length)
		}
	}
	got, err := result(func(out Output[byte]) error { return f.DecryptFinal(f.h, out) })
	if err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestUnlockOfOthers(t *testing.T) {
	f := newUser(t)
	locked, err := f.encrypt(zkLock(), []byte("secret"))
	f.ok(err)
	changed := bytes.Clone(locked)
	changed[10] ^= 1
	for name, call := range map[string]func() ([]byte, error){
		"changed":          func() ([]byte, error) { return f.decrypt(zkLock(), changed) },
		"cut":              func() ([]byte, error) { return f.decrypt(zkLock(), locked[:len(locked)-1]) },
		"too short":        func() ([]byte, error) { return f.decrypt(zkLock(), locked[:3]) },
		"by the other key": func() ([]byte, error) { return f.decrypt(zkLock(CK_TRUE), locked) },
	} {
		_, err := call()
		want(t, name, err, CKR_ENCRYPTED_DATA_INVALID)
	}
	_, err = f.decrypt(zkLock(), locked)
	want(t, "as it is", err, CKR_OK)
}

// TestLockBuffers: the room that is needed is that of the result, not of what was
// told before it was known, and too little of it ends nothing.
func TestLockBuffers(t *testing.T) {
	f := newUser(t)
	f.ok(f.EncryptInit(f.h, zkLock(), CK_INVALID_HANDLE))
	small, _ := buffer(87)
	want(t, "small", f.Encrypt(f.h, []byte("four"), small), CKR_BUFFER_TOO_SMALL)
	if *small.Length != 88 {
		t.Errorf("told %d bytes, want 88", *small.Length)
	}
	out, locked := buffer(88)
	f.ok(f.Encrypt(f.h, []byte("four"), out))
	f.ok(f.DecryptInit(f.h, zkLock(), CK_INVALID_HANDLE))
	small, _ = buffer(3)
	want(t, "small", f.Decrypt(f.h, locked, small), CKR_BUFFER_TOO_SMALL)
	if *small.Length != 4 {
		t.Errorf("told %d bytes, want 4", *small.Length)
	}
	out, plain := buffer(4)
	f.ok(f.Decrypt(f.h, locked, out))
	if string(plain) != "four" {
		t.Errorf("got %q", plain)
	}
	want(t, "again", f.Decrypt(f.h, locked, out), CKR_OPERATION_NOT_INITIALIZED)
}

func TestLockInit(t *testing.T) {
	f := newUser(t)
	data, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA))
	f.ok(err)
	secret := f.secret("value")
	limited, _ := f.pair(scm.P256, []any{CKA_TOKEN, true, CKA_ALLOWED_MECHANISMS, CKM_ECDSA}, []any{CKA_TOKEN, true})
	for _, tt := range []struct {
		name string
		m    *Mechanism
		key  uint
		code Error
	}{
		{"no key", zkLock(), CK_INVALID_HANDLE, CKR_OK},
		{"private key", zkLock(), f.private(0), CKR_OK},
		{"public key", zkLock(), f.public(14), CKR_OK},
		{"key that must not", zkLock(), limited, CKR_MECHANISM_INVALID},
		{"key that is in no slot", zkLock(), secret, CKR_KEY_TYPE_INCONSISTENT},
		{"object that is no key", zkLock(), data, CKR_KEY_HANDLE_INVALID},
		{"object that is not there", zkLock(), 987654, CKR_KEY_HANDLE_INVALID},
		{"truth value of 2", zkLock(2), 0, CKR_MECHANISM_PARAM_INVALID},
		{"long parameter", zkLock(1, 0), 0, CKR_MECHANISM_PARAM_INVALID},
		{"other mechanism", &Mechanism{Type: CKM_ECDSA}, f.private(0), CKR_MECHANISM_INVALID},
	} {
		want(t, tt.name+", encrypt", f.EncryptInit(f.h, tt.m, tt.key), tt.code)
		want(t, tt.name+", decrypt", f.DecryptInit(f.h, tt.m, tt.key), tt.code)
		f.ok(f.SessionCancel(f.h, CKF_ENCRYPT|CKF_DECRYPT))
	}
}

func (f *fixture) secret(value string) uint {
	f.Helper()
	h, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_SECRET_KEY, CKA_KEY_TYPE, CKK_GENERIC_SECRET, CKA_VALUE, value))
	f.ok(err)
	return h
}

// TestLockState walks through the states of both operations.
func TestLockState(t *testing.T) {
	f := newUser(t)
	for _, o := range []struct {
		name        string
		init        func(*Mechanism) error
		whole, part func(Output[byte]) error
		final       func(Output[byte]) error
		wrong       Error // of data that is not locked
	}{
		{"encrypt", func(m *Mechanism) error { return f.EncryptInit(f.h, m, 0) },
			func(out Output[byte]) error { return f.Encrypt(f.h, nil, out) },
			func(out Output[byte]) error { return f.EncryptUpdate(f.h, nil, out) },
			func(out Output[byte]) error { return f.EncryptFinal(f.h, out) }, CKR_OK},
		{"decrypt", func(m *Mechanism) error { return f.DecryptInit(f.h, m, 0) },
			func(out Output[byte]) error { return f.Decrypt(f.h, nil, out) },
			func(out Output[byte]) error { return f.DecryptUpdate(f.h, nil, out) },
			func(out Output[byte]) error { return f.DecryptFinal(f.h, out) }, CKR_ENCRYPTED_DATA_INVALID},
	} {
		for name, call := range map[string]func(Output[byte]) error{"whole": o.whole, "part": o.part, "final": o.final} {
			want(t, o.name+" "+name+", not begun", call(room(100)), CKR_OPERATION_NOT_INITIALIZED)
			f.ok(o.init(zkLock()))
			want(t, o.name+" "+name+", no length", call(Output[byte]{}), CKR_ARGUMENTS_BAD)
			want(t, o.name+" "+name+", ended by it", call(room(100)), CKR_OPERATION_NOT_INITIALIZED)
		}
		f.ok(o.init(zkLock()))
		want(t, o.name+" twice", o.init(zkLock()), CKR_OPERATION_ACTIVE)
		_, err := result(func(out Output[byte]) error { return f.GetOperationState(f.h, out) })
		want(t, o.name+" state", err, CKR_STATE_UNSAVEABLE)
		f.ok(o.init(nil))
		want(t, o.name+" cancelled", o.whole(room(100)), CKR_OPERATION_NOT_INITIALIZED)
		f.ok(o.init(zkLock()))
		f.ok(o.part(room(0)))
		want(t, o.name+" whole after a part", o.whole(room(100)), CKR_OPERATION_ACTIVE)
		f.ok(o.init(zkLock()))
		want(t, o.name+" nothing", o.whole(room(100)), o.wrong)
		want(t, o.name+" is over", o.whole(room(100)), CKR_OPERATION_NOT_INITIALIZED)
		f.ok(o.init(zkLock()))
		f.device.Fail(map[string]string{"encrypt": "Lock", "decrypt": "Unlock"}[o.name], 1, scm.ErrDevice)
		want(t, o.name+" with a fault", o.whole(room(100)), CKR_DEVICE_ERROR)
		want(t, o.name+" ended by it", o.whole(room(100)), CKR_OPERATION_NOT_INITIALIZED)
	}
}

func TestLockNeedsLogin(t *testing.T) {
	f := newPublic(t)
	want(t, "public session", f.EncryptInit(f.h, zkLock(), 0), CKR_USER_NOT_LOGGED_IN)
	f.login(CKU_SO)
	want(t, "session of the SO", f.DecryptInit(f.h, zkLock(), 0), CKR_USER_NOT_LOGGED_IN)
	f.ok(f.Logout(f.h))
	f.login(CKU_USER)
	f.ok(f.EncryptInit(f.h, zkLock(), 0))
	f.device.Fail("Lock", 1, scm.ErrSealed)
	want(t, "logged out meanwhile", f.Encrypt(f.h, nil, room(100)), CKR_OPERATION_NOT_INITIALIZED)
	f.ok(f.EncryptInit(f.h, zkLock(), 0))
	f.ok(f.Logout(f.h))
	want(t, "logged out", f.Encrypt(f.h, nil, room(100)), CKR_OPERATION_NOT_INITIALIZED)
}

// TestLockOfPlainDevice: a device that cannot lock has no such mechanism.
func TestLockOfPlainDevice(t *testing.T) {
	f := withDevice(t, false, func(d scm.Device) scm.Device { return plain{d} })
	f.login(CKU_USER)
	_, err := f.GetMechanismInfo(0, CKM_ZK_LOCK)
	want(t, "info", err, CKR_MECHANISM_INVALID)
	want(t, "encrypt", f.EncryptInit(f.h, zkLock(), 0), CKR_MECHANISM_INVALID)
}
