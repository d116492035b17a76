// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/asn1"

	"github.com/miekg/pkcs11"
)

// PublicKey is the template of a public key that comes from elsewhere; point is
// as it stands in CKA_EC_POINT, without the OCTET STRING around it.
func PublicKey(keyType uint, params, point []byte) []*pkcs11.Attribute {
	der, err := asn1.Marshal(point)
	if err != nil {
		panic(err) // bytes can always be encoded
	}
	return []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, keyType),
		pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, params),
		pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, der),
	}
}

// Verified verifies a signature and returns what C_Verify answered.
func (k *Token) Verified(s pkcs11.SessionHandle, mechanism uint, key pkcs11.ObjectHandle, data, signature []byte) error {
	k.t.Helper()
	k.OK(k.VerifyInit(s, Mechanism(mechanism), key))
	return k.Verify(s, data, signature)
}

// Signed signs data in one part.
func (k *Token) Signed(s pkcs11.SessionHandle, mechanism uint, key pkcs11.ObjectHandle, data []byte) []byte {
	k.t.Helper()
	k.OK(k.SignInit(s, Mechanism(mechanism), key))
	signature, err := k.Sign(s, data)
	k.OK(err)
	return signature
}
