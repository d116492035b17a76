// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"testing"

	"libzk_pkcs11/internal/softkey"
)

// TestLongSecrets: a secret that no mechanism could work with is refused where secrets are worked with.
func TestLongSecrets(t *testing.T) {
	longest := bytes.Repeat([]byte{1}, softkey.LongestSecret)
	f := newSealing(t)
	key := f.create(secretTemplate(CKK_GENERIC_SECRET, CKA_VALUE, longest))
	f.ok(f.SignInit(f.h, &Mechanism{Type: CKM_SHA256_HMAC}, key))
	f.ok(f.Sign(f.h, []byte("message"), room(32)))
	for _, typ := range []uint{CKK_GENERIC_SECRET, CKK_SHA256_HMAC, CKK_HKDF} {
		_, err := f.CreateObject(f.h, secretTemplate(typ, CKA_VALUE, append(longest, 1)))
		want(t, "one byte more", err, CKR_ATTRIBUTE_VALUE_INVALID)
	}
	alone := newUser(t) // without sealed keys nobody works with it
	alone.create(secretTemplate(CKK_GENERIC_SECRET, CKA_VALUE, append(longest, 1)))
}

// TestSecretUses: a secret says that it signs where something signs with it.
func TestSecretUses(t *testing.T) {
	for _, x := range []struct {
		f    *fixture
		uses bool
	}{{newSealing(t), true}, {newUser(t), false}} {
		for typ, can := range map[uint]bool{CKA_SIGN: x.uses, CKA_VERIFY: x.uses, CKA_ENCRYPT: false, CKA_WRAP: false} {
			x.f.reads(x.f.create(secretTemplate(CKK_GENERIC_SECRET, CKA_VALUE, "secret")), typ, can)
		}
	}
}

// TestParameterSetTwice: a private key of ML-DSA or ML-KEM may be told what the public one is told, and nothing else.
func TestParameterSetTwice(t *testing.T) {
	f := newSealing(t)
	for _, typ := range []uint{CKM_ML_DSA_KEY_PAIR_GEN, CKM_ML_KEM_KEY_PAIR_GEN} {
		m, set := &Mechanism{Type: typ}, func(n uint) []Attribute { return is(CKA_PARAMETER_SET, n) }
		_, private, err := f.GenerateKeyPair(f.h, m, set(CKP_ML_KEM_1024), set(CKP_ML_KEM_1024)) // 3, of ML-DSA, too
		f.ok(err)
		f.reads(private, CKA_PARAMETER_SET, uint(CKP_ML_KEM_1024))
		_, _, err = f.GenerateKeyPair(f.h, m, set(CKP_ML_KEM_1024), set(CKP_ML_KEM_768))
		want(t, "two sets", err, CKR_TEMPLATE_INCONSISTENT)
		_, _, err = f.GenerateKeyPair(f.h, m, nil, set(CKP_ML_KEM_768))
		want(t, "of the private key alone", err, CKR_TEMPLATE_INCOMPLETE)
	}
}
