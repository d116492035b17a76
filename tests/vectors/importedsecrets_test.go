// SPDX-License-Identifier: Apache-2.0

package vectors

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"runtime"

	"github.com/miekg/pkcs11"
)

// What the binding has no names for, by the names of the specification.
const (
	ckmKeyWrapKWP   = 0x210B // CKM_AES_KEY_WRAP_KWP
	ckmHKDFDerive   = 0x402A
	ckmSHA3_256HMAC = 0x2B2 // CKM_SHA3_256_HMAC_GENERAL
	ckfHKDFSaltNull = 1
	ckfHKDFSaltData = 2
)

// secretKey is the template of a secret key that may do everything, and be seen.
func secretKey(keyType uint, more ...*pkcs11.Attribute) []*pkcs11.Attribute {
	list := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, keyType),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true),
	}
	for _, typ := range []uint{pkcs11.CKA_ENCRYPT, pkcs11.CKA_DECRYPT, pkcs11.CKA_SIGN, pkcs11.CKA_VERIFY, pkcs11.CKA_WRAP,
		pkcs11.CKA_UNWRAP, pkcs11.CKA_DERIVE} {
		list = append(list, pkcs11.NewAttribute(typ, true))
	}
	return append(list, more...)
}

// secret brings a secret key in.
func (k *importer) secret(keyType uint, value []byte) (pkcs11.ObjectHandle, error) {
	return k.CreateObject(k.s, secretKey(keyType, pkcs11.NewAttribute(pkcs11.CKA_VALUE, value)))
}

func one(typ uint, parameter any) []*pkcs11.Mechanism {
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(typ, parameter)}
}

// decrypts decrypts a text, and if it is the message, encrypts that again.
func (k *importer) decrypts(key pkcs11.ObjectHandle, m []*pkcs11.Mechanism, text, message []byte) error {
	if err := k.DecryptInit(k.s, m, key); err != nil {
		return err
	}
	got, err := k.Decrypt(k.s, text)
	if err != nil {
		return err
	}
	if err := same(got, message); err != nil {
		return err
	}
	if err := k.EncryptInit(k.s, m, key); err != nil {
		return err
	}
	got, err = k.Encrypt(k.s, message)
	if err != nil {
		return err
	}
	return same(got, text)
}

func (k *importer) cbc(_ *anyGroup, v *anyVector) error {
	key, err := k.secret(pkcs11.CKK_AES, v.Key)
	if err != nil {
		return err
	}
	defer k.remove(key)
	return k.decrypts(key, one(pkcs11.CKM_AES_CBC_PAD, []byte(v.Iv)), v.Ct, v.Msg)
}

func (k *importer) gcm(g *anyGroup, v *anyVector) error {
	key, err := k.secret(pkcs11.CKK_AES, v.Key)
	if err != nil {
		return err
	}
	defer k.remove(key)
	p := pkcs11.NewGCMParams(v.Iv, v.Aad, g.TagSize)
	defer p.Free()
	return k.decrypts(key, one(pkcs11.CKM_AES_GCM, p), append(bytes.Clone(v.Ct), v.Tag...), v.Msg)
}

func (k *importer) cmac(g *anyGroup, v *anyVector) error {
	return k.code(pkcs11.CKK_AES, pkcs11.CKM_AES_CMAC_GENERAL, g, v)
}

func (k *importer) hmac(g *anyGroup, v *anyVector) error {
	return k.code(pkcs11.CKK_GENERIC_SECRET, map[string]uint{
		"sha1": pkcs11.CKM_SHA_1_HMAC_GENERAL, "sha256": pkcs11.CKM_SHA256_HMAC_GENERAL, "sha384": pkcs11.CKM_SHA384_HMAC_GENERAL,
		"sha512": pkcs11.CKM_SHA512_HMAC_GENERAL, "sha3_256": ckmSHA3_256HMAC,
	}[k.hashName()], g, v)
}

// code verifies an authentication code, and if it is right, makes it again.
func (k *importer) code(keyType, mechanism uint, g *anyGroup, v *anyVector) error {
	key, err := k.secret(keyType, v.Key)
	if err != nil {
		return err
	}
	defer k.remove(key)
	m := one(mechanism, binary.NativeEndian.AppendUint64(nil, uint64(g.TagSize/8)))
	if err := k.VerifyInit(k.s, m, key); err != nil {
		return err
	}
	if err := k.Verify(k.s, v.Msg, v.Tag); err != nil {
		return err
	}
	if err := k.SignInit(k.s, m, key); err != nil {
		return err
	}
	got, err := k.Sign(k.s, v.Msg)
	if err != nil {
		return err
	}
	return same(got, v.Tag)
}

func (k *importer) wrap(_ *anyGroup, v *anyVector) error {
	return k.unwraps(pkcs11.CKM_AES_KEY_WRAP, v)
}

func (k *importer) kwp(_ *anyGroup, v *anyVector) error { return k.unwraps(ckmKeyWrapKWP, v) }

// unwraps unwraps a generic secret, and if it is what it should be, wraps it again.
func (k *importer) unwraps(mechanism uint, v *anyVector) error {
	if len(v.Ct) == 0 {
		return pkcs11.Error(pkcs11.CKR_WRAPPED_KEY_LEN_RANGE) // the binding cannot say this
	}
	key, err := k.secret(pkcs11.CKK_AES, v.Key)
	if err != nil {
		return err
	}
	defer k.remove(key)
	m := one(mechanism, nil)
	inner, err := k.UnwrapKey(k.s, m, key, v.Ct, secretKey(pkcs11.CKK_GENERIC_SECRET))
	if err != nil {
		return err
	}
	defer k.remove(inner)
	if err := same(k.Attr(k.s, inner, pkcs11.CKA_VALUE), v.Msg); err != nil {
		return err
	}
	got, err := k.WrapKey(k.s, m, key, inner)
	if err != nil {
		return err
	}
	return same(got, v.Ct)
}

// hkdf derives with a CK_HKDF_PARAMS, which the binding does not know. What it points to stays where it is.
func (k *importer) hkdf(_ *anyGroup, v *anyVector) error {
	base, err := k.secret(pkcs11.CKK_GENERIC_SECRET, v.Ikm)
	if err != nil {
		return err
	}
	defer k.remove(base)
	var pins runtime.Pinner
	defer pins.Unpin()
	p := []byte{1, 1, 0, 0, 0, 0, 0, 0}
	prf := map[string]uint64{"sha1": pkcs11.CKM_SHA_1, "sha256": pkcs11.CKM_SHA256, "sha384": pkcs11.CKM_SHA384, "sha512": pkcs11.CKM_SHA512}[k.hashName()]
	salt := uint64(ckfHKDFSaltNull)
	if len(v.Salt) > 0 {
		salt = ckfHKDFSaltData
	}
	for _, n := range []uint64{prf, salt, pinned(&pins, v.Salt), uint64(len(v.Salt)), 0, pinned(&pins, v.Info), uint64(len(v.Info))} {
		p = binary.NativeEndian.AppendUint64(p, n)
	}
	derived, err := k.DeriveKey(k.s, one(ckmHKDFDerive, p), base,
		secretKey(pkcs11.CKK_GENERIC_SECRET, pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, v.Size)))
	if err != nil {
		return err
	}
	defer k.remove(derived)
	return same(k.Attr(k.s, derived, pkcs11.CKA_VALUE), v.Okm)
}

// pinned is where bytes are, and stay until the pins are gone.
func pinned(pins *runtime.Pinner, b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	pins.Pin(&b[0])
	return uint64(reflect.ValueOf(&b[0]).Pointer())
}
