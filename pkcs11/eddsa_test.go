// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// edwardsVariants are examples of RFC 8032, sections 7.1 to 7.3.
var edwardsVariants = []struct {
	params                  EdDSAParams
	key, message, signature string
}{
	{EdDSAParams{},
		"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72",
		"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
	{EdDSAParams{Context: []byte("foo")},
		"0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6", "f726936d19c800494e3fdaff20b276a8",
		"55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d"},
	{EdDSAParams{Prehash: true},
		"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42", "616263",
		"98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"},
}

// TestEdwardsVariants signs and verifies in the three forms of RFC 8032 with keys that are sealed.
func TestEdwardsVariants(t *testing.T) {
	f := newSealing(t)
	for _, v := range edwardsVariants {
		key := f.create(is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, uint(CKK_EC_EDWARDS), CKA_EC_PARAMS, curves[scm.Ed25519].encodeParams(), CKA_VALUE, unhex(t, v.key)))
		m, message, signature := &Mechanism{Type: CKM_EDDSA, Params: &v.params}, unhex(t, v.message), unhex(t, v.signature)
		f.ok(f.SignInit(f.h, m, key))
		out, got := buffer(64)
		f.ok(f.Sign(f.h, message, out))
		if !bytes.Equal(got, signature) {
			t.Errorf("%+v: %x", v.params, got)
		}
		public := f.create(is(CKA_CLASS, uint(CKO_PUBLIC_KEY), CKA_KEY_TYPE, uint(CKK_EC_EDWARDS), CKA_EC_PARAMS, curves[scm.Ed25519].encodeParams(),
			CKA_EC_POINT, f.object(key).attrs[CKA_EC_POINT]))
		for _, other := range edwardsVariants {
			f.ok(f.VerifyInit(f.h, &Mechanism{Type: CKM_EDDSA, Params: &other.params}, public))
			err := f.Verify(f.h, message, signature)
			if other.signature == v.signature {
				f.ok(err)
			} else {
				want(t, "in another form", err, CKR_SIGNATURE_INVALID)
			}
		}
		tooLong := &Mechanism{Type: CKM_EDDSA, Params: &EdDSAParams{Prehash: v.params.Prehash, Context: make([]byte, 256)}}
		want(t, "a long context", f.SignInit(f.h, tooLong, key), CKR_MECHANISM_PARAM_INVALID)
		want(t, "a long context", f.VerifyInit(f.h, tooLong, public), CKR_MECHANISM_PARAM_INVALID)
	}
}

// TestEdwardsInSlots: a key in a slot signs in one form. What it has signed is verified in all of them, where keys are sealed.
func TestEdwardsInSlots(t *testing.T) {
	f := newSealing(t)
	public, private := f.pairOn(scm.Ed25519, CKA_TOKEN, true)
	for i, v := range edwardsVariants {
		m := &Mechanism{Type: CKM_EDDSA, Params: &v.params}
		if i == 0 {
			f.ok(f.SignInit(f.h, m, private))
			f.ok(f.SignInit(f.h, nil, 0))
		} else {
			want(t, "C_SignInit", f.SignInit(f.h, m, private), CKR_MECHANISM_PARAM_INVALID)
		}
		f.ok(f.VerifyInit(f.h, m, public))
		want(t, "C_Verify", f.Verify(f.h, nil, unhex(t, v.signature)), CKR_SIGNATURE_INVALID)
	}
	alone := newUser(t) // without sealed keys
	public, _ = alone.pairOn(scm.Ed25519, CKA_TOKEN, true)
	want(t, "without sealed keys", alone.VerifyInit(alone.h, &Mechanism{Type: CKM_EDDSA, Params: &EdDSAParams{Prehash: true}}, public), CKR_MECHANISM_PARAM_INVALID)
}
