// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestVerifyRefuses: whatever is not the signature of the data by the key.
func TestVerifyRefuses(t *testing.T) {
	s := newSigner(t)
	zero := make([]byte, 32)
	for c, mechanism := range map[scm.Curve]uint{scm.P256: CKM_ECDSA, scm.Secp256k1: CKM_ECDSA, scm.Ed25519: CKM_EDDSA} {
		signature, err := s.sign(mechanism, s.private[c], digest32)
		s.ok(err)
		r, rest := signature[:32], signature[32:]
		flipped := bytes.Clone(signature)
		flipped[40] ^= 1
		other, _ := s.pairOn(c)
		for _, x := range []struct {
			name            string
			key             uint
			data, signature []byte
			code            Error
		}{
			{"right", s.public[c], digest32, signature, CKR_OK},
			{"flipped bit", s.public[c], digest32, flipped, CKR_SIGNATURE_INVALID},
			{"other data", s.public[c], digest32[1:], signature, CKR_SIGNATURE_INVALID},
			{"other key", other, digest32, signature, CKR_SIGNATURE_INVALID},
			{"r is zero", s.public[c], digest32, append(bytes.Clone(zero), rest...), CKR_SIGNATURE_INVALID},
			{"s is zero", s.public[c], digest32, append(bytes.Clone(r), zero...), CKR_SIGNATURE_INVALID},
			{"both are zero", s.public[c], digest32, make([]byte, 64), CKR_SIGNATURE_INVALID},
			{"both are too large", s.public[c], digest32, bytes.Repeat([]byte{0xff}, 64), CKR_SIGNATURE_INVALID},
			{"halves exchanged", s.public[c], digest32, append(bytes.Clone(rest), r...), CKR_SIGNATURE_INVALID},
			{"short", s.public[c], digest32, signature[:63], CKR_SIGNATURE_LEN_RANGE},
			{"long", s.public[c], digest32, append(bytes.Clone(signature), 0), CKR_SIGNATURE_LEN_RANGE},
			{"none", s.public[c], digest32, nil, CKR_SIGNATURE_LEN_RANGE},
		} {
			want(t, c.String()+" "+x.name, s.verify(mechanism, x.key, x.data, x.signature), x.code)
			want(t, "the operation after it", s.Verify(s.h, x.data, x.signature), CKR_OPERATION_NOT_INITIALIZED)
		}
	}
}

func TestVerifyInitErrors(t *testing.T) {
	s := newSigner(t)
	noVerify, _ := s.pair(scm.P256, []any{CKA_VERIFY, false}, nil)
	x25519, _ := s.pairOn(scm.X25519)
	for _, c := range []struct {
		name      string
		mechanism uint
		key       uint
		code      Error
	}{
		{"no key", CKM_ECDSA, 0, CKR_KEY_HANDLE_INVALID},
		{"a private key", CKM_ECDSA, s.private[scm.P256], CKR_KEY_TYPE_INCONSISTENT},
		{"an X25519 key", CKM_EDDSA, x25519, CKR_KEY_TYPE_INCONSISTENT},
		{"a key that may not", CKM_ECDSA, noVerify, CKR_KEY_FUNCTION_NOT_PERMITTED},
		{"a mechanism that is not for it", CKM_SHA_1, s.public[scm.P256], CKR_MECHANISM_INVALID},
	} {
		want(t, c.name, s.VerifyInit(s.h, &Mechanism{Type: c.mechanism}, c.key), c.code)
	}
}

// TestVerifyNeedsNobody: a public key verifies without a login, and without the
// device.
func TestVerifyNeedsNobody(t *testing.T) {
	f := newUser(t)
	signature, err := f.sign(CKM_ECDSA, f.private(0), digest32)
	f.ok(err)
	f.ok(f.Logout(f.h))
	key := f.public(0)
	f.device.Reset()
	want(t, "verify", f.verify(CKM_ECDSA, key, digest32, signature), CKR_OK)
	if n := f.device.Total(); n > 0 {
		t.Errorf("the device was called %d times", n)
	}
}

func TestVerifySteps(t *testing.T) {
	s := newSigner(t)
	signature, err := s.sign(CKM_ECDSA_SHA256, s.private[scm.P256], digest32)
	s.ok(err)
	begin := func(typ uint) { s.ok(s.VerifyInit(s.h, &Mechanism{Type: typ}, s.public[scm.P256])) }

	begin(CKM_ECDSA_SHA256)
	s.ok(s.VerifyUpdate(s.h, digest32))
	want(t, "whole after parts", s.Verify(s.h, digest32, signature), CKR_OPERATION_ACTIVE)
	want(t, "which ends it", s.VerifyFinal(s.h, signature), CKR_OPERATION_NOT_INITIALIZED)
	want(t, "nothing begun", s.VerifyUpdate(s.h, digest32), CKR_OPERATION_NOT_INITIALIZED)

	begin(CKM_ECDSA)
	want(t, "parts of a digest", s.VerifyUpdate(s.h, digest32), CKR_OPERATION_NOT_INITIALIZED)
	want(t, "which ends it", s.Verify(s.h, digest32, signature), CKR_OPERATION_NOT_INITIALIZED)
	begin(CKM_ECDSA)
	want(t, "end without a digest", s.VerifyFinal(s.h, signature), CKR_OPERATION_NOT_INITIALIZED)
	begin(CKM_ECDSA_SHA256)
	want(t, "no part at all", s.VerifyFinal(s.h, signature), CKR_SIGNATURE_INVALID)
}
