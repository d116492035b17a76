// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestVerifySignature: every mechanism that verifies does so with the signature first.
func TestVerifySignature(t *testing.T) {
	s := newSigner(t)
	for mechanism, c := range map[uint]scm.Curve{CKM_ECDSA: scm.P256, CKM_ECDSA_SHA256: scm.Secp256k1, CKM_EDDSA: scm.Ed25519} {
		signature, err := s.sign(mechanism, s.private[c], digest32)
		s.ok(err)
		wrong := bytes.Clone(signature)
		wrong[40] ^= 1
		for _, x := range []struct {
			name      string
			signature []byte
			code      Error
		}{
			{"right", signature, CKR_OK},
			{"wrong", wrong, CKR_SIGNATURE_INVALID},
			{"short", signature[:63], CKR_SIGNATURE_LEN_RANGE},
			{"none", nil, CKR_SIGNATURE_LEN_RANGE},
		} {
			given := bytes.Clone(x.signature)
			s.ok(s.VerifySignatureInit(s.h, &Mechanism{Type: mechanism}, s.public[c], given))
			clear(given) // is the caller's again
			want(t, c.String()+" "+x.name, s.VerifySignature(s.h, digest32), x.code)
			want(t, "the operation after it", s.VerifySignature(s.h, digest32), CKR_OPERATION_NOT_INITIALIZED)
		}
	}
}

func TestVerifySignatureSteps(t *testing.T) {
	s := newSigner(t)
	key := s.public[scm.P256]
	signature, err := s.sign(CKM_ECDSA_SHA256, s.private[scm.P256], digest32)
	s.ok(err)
	begin := func(typ uint) { s.ok(s.VerifySignatureInit(s.h, &Mechanism{Type: typ}, key, signature)) }

	begin(CKM_ECDSA_SHA256)
	want(t, "twice", s.VerifySignatureInit(s.h, &Mechanism{Type: CKM_ECDSA}, key, signature), CKR_OPERATION_ACTIVE)
	want(t, "C_Verify", s.Verify(s.h, digest32, signature), CKR_OPERATION_NOT_INITIALIZED)
	want(t, "a part", s.VerifySignatureUpdate(s.h, digest32[:10]), CKR_OK)
	want(t, "the rest", s.VerifySignatureUpdate(s.h, digest32[10:]), CKR_OK)
	want(t, "the end", s.VerifySignatureFinal(s.h), CKR_OK)
	want(t, "nothing begun", s.VerifySignatureFinal(s.h), CKR_OPERATION_NOT_INITIALIZED)
	want(t, "nothing begun", s.VerifySignatureUpdate(s.h, digest32), CKR_OPERATION_NOT_INITIALIZED)

	begin(CKM_ECDSA_SHA256)
	s.ok(s.VerifySignatureUpdate(s.h, digest32))
	want(t, "whole after parts", s.VerifySignature(s.h, digest32), CKR_OPERATION_ACTIVE)
	begin(CKM_ECDSA)
	want(t, "parts of a digest", s.VerifySignatureUpdate(s.h, digest32), CKR_OPERATION_NOT_INITIALIZED)
	begin(CKM_ECDSA)
	want(t, "end without a digest", s.VerifySignatureFinal(s.h), CKR_OPERATION_NOT_INITIALIZED)
	begin(CKM_ECDSA)
	want(t, "cancelled", s.VerifySignatureInit(s.h, nil, 0, nil), CKR_OK)
	want(t, "which ends it", s.VerifySignature(s.h, digest32), CKR_OPERATION_NOT_INITIALIZED)
	begin(CKM_ECDSA)
	s.ok(s.SessionCancel(s.h, CKF_VERIFY))
	want(t, "cancelled with the session's others", s.VerifySignature(s.h, digest32), CKR_OPERATION_NOT_INITIALIZED)
	want(t, "a private key", s.VerifySignatureInit(s.h, &Mechanism{Type: CKM_ECDSA}, s.private[scm.P256], signature), CKR_KEY_TYPE_INCONSISTENT)
}
