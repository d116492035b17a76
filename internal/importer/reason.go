// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"

	"libzk_pkcs11/internal/softkey"
	"libzk_pkcs11/pkcs11"
)

// Why a key is not brought over is told before it is tried: what the token would answer is a code, which names neither the
// size nor the curve.

// keyWhy says why a key of a type that is here is not brought over, "" for one that is.
func keyWhy(class, keyType uint, read reader) string {
	if class != pkcs11.CKO_PUBLIC_KEY && class != pkcs11.CKO_PRIVATE_KEY {
		return ""
	}
	if keyType == pkcs11.CKK_RSA {
		return sizeWhy(new(big.Int).SetBytes(read(pkcs11.CKA_MODULUS)).BitLen())
	}
	return curveWhy(read(pkcs11.CKA_EC_PARAMS))
}

// sizeWhy is keyWhy of an RSA key. One whose size is not known is left to the token.
func sizeWhy(bits int) string {
	switch {
	case bits == 0 || bits >= softkey.LeastRSA && bits <= softkey.MostRSA && bits%8 == 0:
		return ""
	case bits%8 != 0 && bits > softkey.LeastRSA && bits < softkey.MostRSA:
		return fmt.Sprintf("it is an RSA key of %d bits, and the token takes those of whole bytes", bits)
	}
	return fmt.Sprintf("it is an RSA key of %d bits, and the token takes those of %d to %d bits", bits, softkey.LeastRSA, softkey.MostRSA)
}

// IsSealed reports whether a token holds an object only where it seals keys that no key slot can hold: private keys, for no SCM
// takes one in, and public keys and secrets of kinds that no SCM has.
func (o *Object) IsSealed() bool {
	switch number(o.value(pkcs11.CKA_CLASS)) {
	case pkcs11.CKO_PRIVATE_KEY:
		return true
	case pkcs11.CKO_SECRET_KEY:
		return number(o.value(pkcs11.CKA_KEY_TYPE)) != pkcs11.CKK_GENERIC_SECRET
	case pkcs11.CKO_PUBLIC_KEY:
		switch curve, err := softkey.ParseParams(o.value(pkcs11.CKA_EC_PARAMS)); curve {
		case softkey.P256, softkey.Secp256k1, softkey.Ed25519, softkey.X25519:
			return err != nil
		}
		return true
	}
	return false
}

// curves are those that keys here are on.
const curves = "P-224, P-256, P-384, P-521, secp256k1, Ed25519 and X25519"

// curveWhy is keyWhy of a key on a curve.
func curveWhy(params []byte) string {
	if len(params) == 0 {
		return ""
	}
	if _, err := softkey.ParseParams(params); err == nil {
		return ""
	}
	return "it is on " + curveName(params) + ", and the curves here are " + curves
}

// curveName names the curve of CKA_EC_PARAMS, as far as this tells.
func curveName(params []byte) string {
	var oid asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(params, &oid); err != nil {
		return "a curve with parameters of its own"
	}
	for known, name := range map[string]string{
		"1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1", "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1", "1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
		"1.2.840.10045.3.1.1": "P-192", "1.3.101.113": "Ed448", "1.3.101.111": "X448", "1.2.156.10197.1.301": "SM2",
	} {
		if oid.String() == known {
			return "the curve " + name
		}
	}
	return "the curve " + oid.String()
}

// algorithmWhy says why a private key in PKCS #8 is not brought over that cannot be read here, err where this does not tell.
func algorithmWhy(der []byte, err error) string {
	var info struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}
	if _, bad := asn1.Unmarshal(der, &info); bad != nil {
		return "there are no such keys here: " + err.Error()
	}
	defer clear(info.Key)
	why := ""
	switch oid := info.Algorithm.Algorithm; {
	case oid.Equal(oidRSA):
		why = sizeWhy(bitsOfRSA(info.Key))
	case oid.Equal(oidEC):
		why = curveWhy(info.Algorithm.Parameters.FullBytes)
	case oid.Equal(oidEd448), oid.Equal(oidX448):
		params, _ := asn1.Marshal(oid) // never fails: it was read
		why = curveWhy(params)
	}
	if why == "" {
		why = "there are no such keys here: " + err.Error()
	}
	return why
}

var (
	oidEd448 = asn1.ObjectIdentifier{1, 3, 101, 113}
	oidX448  = asn1.ObjectIdentifier{1, 3, 101, 111}
)

// bitsOfRSA is the size of an RSAPrivateKey, 0 of what is none.
func bitsOfRSA(der []byte) int {
	var key struct {
		Version int
		Modulus *big.Int
	}
	if _, err := asn1.Unmarshal(der, &key); err != nil {
		return 0
	}
	return key.Modulus.BitLen()
}
