// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"testing"
)

// recoverableBy are the mechanisms whose signatures have the data in them.
var recoverableBy = []uint{CKM_RSA_PKCS, CKM_RSA_X_509}

// TestRecover signs so that the data comes back out of the signature.
func TestRecover(t *testing.T) {
	f := newSealing(t)
	public, private := f.rsaPair([]any{CKA_VERIFY_RECOVER, true}, []any{CKA_SIGN_RECOVER, true})
	for _, typ := range recoverableBy {
		m := &Mechanism{Type: typ}
		f.ok(f.SignRecoverInit(f.h, m, private))
		want(t, "twice", f.SignRecoverInit(f.h, m, private), CKR_OPERATION_ACTIVE)
		size := sizeOnly()
		f.ok(f.SignRecover(f.h, digest32, size))
		want(t, "too small", f.SignRecover(f.h, digest32, room(255)), CKR_BUFFER_TOO_SMALL)
		out, signature := buffer(int(*size.Length))
		f.ok(f.SignRecover(f.h, digest32, out))
		f.ok(f.verify(typ, public, digest32, signature))
		want(t, "ended", f.SignRecover(f.h, digest32, out), CKR_OPERATION_NOT_INITIALIZED)

		f.ok(f.VerifyRecoverInit(f.h, m, public))
		want(t, "twice", f.VerifyRecoverInit(f.h, m, public), CKR_OPERATION_ACTIVE)
		f.ok(f.VerifyRecover(f.h, signature, size))
		want(t, "too small", f.VerifyRecover(f.h, signature, room(int(*size.Length)-1)), CKR_BUFFER_TOO_SMALL)
		out, data := buffer(int(*size.Length))
		f.ok(f.VerifyRecover(f.h, signature, out))
		if !bytes.Equal(bytes.TrimLeft(data, "\x00"), digest32) {
			t.Errorf("%s: recovered %x, want %x", MechanismName(typ), data, digest32)
		}
		want(t, "ended", f.VerifyRecover(f.h, signature, out), CKR_OPERATION_NOT_INITIALIZED)
	}
}

// TestRecoverRefusals: a signature that is none, a key that may not, and what cancels.
func TestRecoverRefusals(t *testing.T) {
	f := newSealing(t)
	m := &Mechanism{Type: CKM_RSA_PKCS}
	public, private := f.rsaPair([]any{CKA_VERIFY_RECOVER, true}, []any{CKA_SIGN_RECOVER, true})
	other, secret := f.rsaPair([]any{CKA_VERIFY_RECOVER, false}, []any{CKA_SIGN_RECOVER, false})
	want(t, "not permitted", f.SignRecoverInit(f.h, m, secret), CKR_KEY_FUNCTION_NOT_PERMITTED)
	want(t, "not permitted", f.VerifyRecoverInit(f.h, m, other), CKR_KEY_FUNCTION_NOT_PERMITTED)
	want(t, "hashes", f.SignRecoverInit(f.h, &Mechanism{Type: CKM_SHA256_RSA_PKCS}, private), CKR_MECHANISM_INVALID)
	want(t, "hashes", f.VerifyRecoverInit(f.h, &Mechanism{Type: CKM_SHA256_RSA_PKCS}, public), CKR_MECHANISM_INVALID)
	for signature, code := range map[string]Error{
		string(make([]byte, 256)):                CKR_SIGNATURE_INVALID,
		string(bytes.Repeat([]byte{0xff}, 256)):  CKR_SIGNATURE_INVALID,
		string(make([]byte, 255)):                CKR_SIGNATURE_LEN_RANGE,
		string(f.signLong(m, private, digest32)): CKR_OK,
	} {
		f.ok(f.VerifyRecoverInit(f.h, m, public))
		want(t, "recover", f.VerifyRecover(f.h, []byte(signature), room(256)), code)
		want(t, "ended", f.VerifyRecover(f.h, []byte(signature), room(256)), CKR_OPERATION_NOT_INITIALIZED)
	}
	f.ok(f.SignRecoverInit(f.h, m, private))
	want(t, "too long", f.SignRecover(f.h, make([]byte, 246), room(256)), CKR_DATA_LEN_RANGE)
	f.ok(f.SignRecoverInit(f.h, m, private))
	want(t, "state", f.GetOperationState(f.h, room(300)), CKR_STATE_UNSAVEABLE)
	f.ok(f.SignRecoverInit(f.h, nil, 0))
	f.ok(f.VerifyRecoverInit(f.h, m, public))
	f.ok(f.VerifyRecoverInit(f.h, nil, 0))
	f.ok(f.SignRecoverInit(f.h, m, private))
	f.ok(f.VerifyRecoverInit(f.h, m, public))
	f.ok(f.SessionCancel(f.h, CKF_SIGN_RECOVER|CKF_VERIFY_RECOVER))
	want(t, "cancelled", f.SignRecover(f.h, digest32, room(256)), CKR_OPERATION_NOT_INITIALIZED)
	want(t, "cancelled", f.VerifyRecover(f.h, digest32, room(256)), CKR_OPERATION_NOT_INITIALIZED)
}

// TestLoginForLatest: a context-specific login is for the use that was begun last, of those that wait for one.
func TestLoginForLatest(t *testing.T) {
	f := newSealing(t)
	_, private := f.rsaPair(nil, []any{CKA_SIGN_RECOVER, true, CKA_ALWAYS_AUTHENTICATE, true})
	m := &Mechanism{Type: CKM_RSA_PKCS}
	want(t, "nothing", f.Login(f.h, CKU_CONTEXT_SPECIFIC, userPIN), CKR_OPERATION_NOT_INITIALIZED)
	f.ok(f.SignInit(f.h, m, private))
	f.ok(f.SignRecoverInit(f.h, m, private))
	f.ok(f.Login(f.h, CKU_CONTEXT_SPECIFIC, userPIN))
	f.ok(f.SignRecover(f.h, digest32, room(256)))
	want(t, "no login", f.Sign(f.h, digest32, room(256)), CKR_USER_NOT_LOGGED_IN)

	f.ok(f.SignRecoverInit(f.h, m, private))
	f.ok(f.SignInit(f.h, m, private))
	f.ok(f.Login(f.h, CKU_CONTEXT_SPECIFIC, userPIN))
	f.ok(f.Sign(f.h, digest32, room(256)))
	f.ok(f.Login(f.h, CKU_CONTEXT_SPECIFIC, userPIN))
	f.ok(f.SignRecover(f.h, digest32, room(256)))
	want(t, "nothing", f.Login(f.h, CKU_CONTEXT_SPECIFIC, userPIN), CKR_OPERATION_NOT_INITIALIZED)
}
