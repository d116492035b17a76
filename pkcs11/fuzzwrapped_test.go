// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzDecodeTemplate: what is read of a template in an attribute is written the same.
func FuzzDecodeTemplate(f *testing.F) {
	f.Add([]byte{})
	f.Add(EncodeTemplate(is(CKA_LABEL, "label", CKA_VALUE_LEN, uint(16), CKA_ALLOWED_MECHANISMS, encodeULong(CKM_AES_GCM))))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := DecodeTemplate(b)
		if err != nil {
			want(t, "DecodeTemplate", err, CKR_ATTRIBUTE_VALUE_INVALID)
			return
		}
		again := EncodeTemplate(list)
		if len(again) == 1 { // twice the same, too many, or nested
			return
		}
		read, err := DecodeTemplate(again)
		if err != nil || len(read) > len(list) || !bytes.Equal(EncodeTemplate(read), again) {
			t.Errorf("%x is read as %v, written as %x, %v", b, list, again, err)
		}
	})
}

// unwrappingCodes are those of C_UnwrapKey.
var unwrappingCodes = []Error{
	CKR_ARGUMENTS_BAD, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, CKR_CURVE_NOT_SUPPORTED, CKR_DOMAIN_PARAMS_INVALID,
	CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID, CKR_PARAMETER_SET_NOT_SUPPORTED, CKR_TEMPLATE_INCOMPLETE, CKR_TEMPLATE_INCONSISTENT,
	CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, CKR_WRAPPED_KEY_INVALID, CKR_WRAPPED_KEY_LEN_RANGE,
}

// FuzzWrapped unwraps anything into anything. Nothing but a code of the function comes of it, and no key when there is one.
func FuzzWrapped(f *testing.F) {
	x := newSealing(f)
	public, private := x.rsaPair([]any{CKA_WRAP, true}, []any{CKA_UNWRAP, true})
	aes := x.create(secretTemplate(CKK_AES, CKA_VALUE, make([]byte, 16), CKA_WRAP, true, CKA_UNWRAP, true))
	types := []uint{CKK_AES, CKK_GENERIC_SECRET, CKK_RSA, CKK_EC, CKK_EC_EDWARDS, CKK_ML_KEM, CKK_ML_DSA, CKK_HKDF}
	mechanisms := []uint{CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PKCS7, CKM_AES_CBC_PAD, CKM_AES_ECB, CKM_RSA_PKCS, CKM_RSA_AES_KEY_WRAP, CKM_AES_GCM}
	how := func(n byte) *Mechanism {
		m := &Mechanism{Type: mechanisms[int(n)%len(mechanisms)]}
		switch m.Type {
		case CKM_AES_CBC_PAD:
			m.Parameter = make([]byte, 16)
		case CKM_AES_GCM:
			m.Params = &GCMParams{IV: make([]byte, 12), TagBits: 128}
		case CKM_RSA_AES_KEY_WRAP:
			m.Params = &RSAAESParams{KeyBits: 256, OAEP: &OAEPParams{Hash: CKM_SHA256, MGF: CKG_MGF1_SHA256, Source: CKZ_DATA_SPECIFIED}}
		}
		return m
	}
	for n := range mechanisms {
		by := aes
		if row := how(byte(n)); row.Type == CKM_RSA_PKCS || row.Type == CKM_RSA_AES_KEY_WRAP {
			by = public
		}
		wrapped, err := x.wrap(how(byte(n)), by, aes)
		x.ok(err)
		f.Add(byte(n), byte(0), uint16(16), wrapped)
	}
	f.Fuzz(func(t *testing.T, mechanism, typ byte, size uint16, wrapped []byte) {
		mine := *x
		mine.TB = t
		keyType := types[int(typ)%len(types)]
		list := secretTemplate(keyType, CKA_VALUE_LEN, uint(size))
		if !isSecretType(keyType) && keyType != CKK_AES && keyType != CKK_HKDF {
			list = is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, keyType)
		} else if size == 0 {
			list = secretTemplate(keyType)
		}
		by, m, before := aes, how(mechanism), len(mine.searchFor(nil))
		if m.Type == CKM_RSA_PKCS || m.Type == CKM_RSA_AES_KEY_WRAP {
			by = private
		}
		key, err := mine.UnwrapKey(mine.h, m, by, wrapped, list)
		if err == nil {
			mine.ok(mine.DestroyObject(mine.h, key))
		} else if code, known := err.(Error); !known || !slices.Contains(unwrappingCodes, code) {
			t.Errorf("%s: %v", MechanismName(m.Type), err)
		}
		if after := len(mine.searchFor(nil)); after != before {
			t.Errorf("%d objects before, %d afterwards", before, after)
		}
	})
}
