// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// mechanismCodes are what functions answer of a mechanism, of its parameter and of data
// that does not suit it.
var mechanismCodes = []Error{
	CKR_OK, CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID, CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_HANDLE_INVALID,
	CKR_PUBLIC_KEY_INVALID, CKR_DATA_LEN_RANGE, CKR_DATA_INVALID, CKR_ENCRYPTED_DATA_INVALID, CKR_ENCRYPTED_DATA_LEN_RANGE,
	CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE, CKR_CURVE_NOT_SUPPORTED, CKR_TEMPLATE_INCOMPLETE, CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_TYPE_INVALID, CKR_OPERATION_NOT_INITIALIZED,
}

// FuzzMechanisms begins every kind of operation with mechanisms and parameters of every
// form, and goes on with it where it begins.
func FuzzMechanisms(f *testing.F) {
	point := curves[scm.P256].rawPoint(generatorOfP256)
	for call := range byte(8) {
		for t := range mechanisms {
			f.Add(call, byte(call), uint64(t), []byte{}, byte(0), uint64(CKD_NULL), []byte{}, point, []byte("data"))
		}
	}
	f.Add(byte(1), byte(4), uint64(CKM_EDDSA), make([]byte, 24), byte(1), uint64(0), []byte("context"), []byte{}, make([]byte, 32))
	f.Add(byte(6), byte(0), uint64(CKM_ECDH1_DERIVE), make([]byte, 40), byte(2), uint64(CKD_NULL), []byte{}, point, []byte{})
	for call := range byte(8) {
		f.Add(call, byte(10), uint64(CKM_RSA_PKCS_OAEP), []byte{}, byte(3), uint64(CKM_SHA256), []byte("label"), []byte{}, []byte("plain"))
		f.Add(call, byte(10), uint64(CKM_RSA_PKCS_PSS), numbersOf(CKM_SHA256, CKG_MGF1_SHA256, 32), byte(0), uint64(0), []byte{}, []byte{}, digest32)
		f.Add(call, byte(11), uint64(CKM_AES_GCM), []byte{}, byte(4), uint64(128), make([]byte, 12), []byte("besides"), []byte("plain"))
		f.Add(call, byte(11), uint64(CKM_AES_CTR), append(numbersOf(32), make([]byte, 16)...), byte(0), uint64(0), []byte{}, []byte{}, []byte("plain"))
	}
	f.Add(byte(4), byte(0), uint64(CKM_ZK_LOCK), []byte{1}, byte(0), uint64(0), []byte{}, []byte{}, []byte("plain"))
	shared := newSealing(f)
	keys := []uint{0}
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1, scm.Ed25519, scm.X25519} {
		public, private := shared.pairOn(c)
		keys = append(keys, public, private)
	}
	public, private := shared.rsaPair([]any{CKA_ENCRYPT, true}, []any{CKA_DECRYPT, true})
	aes, err := shared.GenerateKey(shared.h, &Mechanism{Type: CKM_AES_KEY_GEN}, is(append(usable(), CKA_VALUE_LEN, uint(16))...))
	shared.ok(err)
	keys = append(keys, public, private, aes)
	f.Fuzz(func(t *testing.T, call, key byte, typ uint64, parameter []byte, form byte, kdf uint64, data, public, input []byte) {
		m := &Mechanism{Type: uint(typ), Parameter: parameter}
		switch form % 5 {
		case 1:
			m.Params = &EdDSAParams{Prehash: kdf%2 == 1, Context: data}
		case 2:
			m.Params = &ECDH1Params{KDF: uint(kdf), SharedData: data, Public: public}
		case 3:
			m.Params = &OAEPParams{Hash: uint(kdf), MGF: uint(key) % 10, Source: CKZ_DATA_SPECIFIED, Label: data}
		case 4:
			m.Params = &GCMParams{IV: data, AAD: public, TagBits: uint(kdf)}
		}
		mine := *shared
		mine.TB = t
		err := mine.use(call, keys[int(key)%len(keys)], m, input, public)
		if code, known := err.(Error); err != nil && (!known || !slices.Contains(mechanismCodes, code)) {
			t.Fatal(err)
		}
		mine.ok(mine.SessionCancel(mine.h, ^uint(0)))
	})
}

// use makes a whole operation.
func (f *fixture) use(call byte, key uint, m *Mechanism, input, other []byte) error {
	out, _ := buffer(1 << 12)
	var err error
	switch call % 8 {
	case 0:
		if err = f.DigestInit(f.h, m); err == nil {
			err = f.Digest(f.h, input, out)
		}
	case 1:
		if err = f.SignInit(f.h, m, key); err == nil {
			err = f.Sign(f.h, input, out)
		}
	case 2:
		if err = f.VerifyInit(f.h, m, key); err == nil {
			err = f.Verify(f.h, input, other)
		}
	case 3:
		if err = f.VerifySignatureInit(f.h, m, key, other); err == nil {
			err = f.VerifySignature(f.h, input)
		}
	case 4:
		if err = f.EncryptInit(f.h, m, key); err == nil {
			err = f.Encrypt(f.h, input, out)
		}
	case 5:
		if err = f.DecryptInit(f.h, m, key); err == nil {
			err = f.Decrypt(f.h, input, out)
		}
	case 6:
		h, failed := f.DeriveKey(f.h, m, key, nil)
		if err = failed; err == nil {
			err = f.DestroyObject(f.h, h)
		}
	case 7:
		a, b, failed := f.GenerateKeyPair(f.h, m, is(CKA_EC_PARAMS, curves[scm.P256].encodeParams()), nil)
		if err = failed; err == nil {
			f.ok(f.DestroyObject(f.h, a))
			err = f.DestroyObject(f.h, b)
		}
	}
	return err
}
