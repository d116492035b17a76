// SPDX-License-Identifier: Apache-2.0

package vectors

import (
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness/live"
)

// spki is a SubjectPublicKeyInfo.
type spki struct {
	Algorithm pkix.AlgorithmIdentifier
	Key       asn1.BitString
}

// readInfo reads a SubjectPublicKeyInfo of DER.
func readInfo(der []byte) (info spki, err error) {
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 {
		return info, pkcs11.Error(pkcs11.CKR_PUBLIC_KEY_INVALID)
	}
	return info, nil
}

// openPublic brings the public key of a group in.
func (k *importer) openPublic(g *anyGroup) error {
	template, err := publicTemplate(g.PublicKeyDer)
	if err != nil {
		return err
	}
	k.key, err = k.CreateObject(k.s, template)
	return err
}

func publicTemplate(der []byte) ([]*pkcs11.Attribute, error) {
	info, err := readInfo(der)
	if err != nil {
		return nil, err
	}
	oid, err := asn1.Marshal(info.Algorithm.Algorithm)
	switch {
	case err != nil:
		return nil, err
	case string(oid) == string(live.Ed25519):
		return live.PublicKey(live.CKK_EC_EDWARDS, live.Ed25519, info.Key.Bytes), nil
	case info.Algorithm.Algorithm.Equal(asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}):
		return live.PublicKey(pkcs11.CKK_EC, info.Algorithm.Parameters.FullBytes, info.Key.Bytes), nil
	}
	var numbers struct{ N, E *big.Int }
	if _, err := asn1.Unmarshal(info.Key.Bytes, &numbers); err != nil {
		return nil, err
	}
	return []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_RSA),
		pkcs11.NewAttribute(pkcs11.CKA_MODULUS, numbers.N.Bytes()),
		pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, numbers.E.Bytes()),
	}, nil
}

// openPrivate brings the private RSA key of a group in.
func (k *importer) openPrivate(g *anyGroup) error {
	parsed, err := x509.ParsePKCS8PrivateKey(g.PrivateKeyPkcs8)
	if err != nil {
		return err
	}
	r := parsed.(*rsa.PrivateKey)
	k.key, err = k.CreateObject(k.s, privateKey(pkcs11.CKK_RSA, map[uint][]byte{
		pkcs11.CKA_MODULUS: r.N.Bytes(), pkcs11.CKA_PUBLIC_EXPONENT: big.NewInt(int64(r.E)).Bytes(), pkcs11.CKA_PRIVATE_EXPONENT: r.D.Bytes(),
		pkcs11.CKA_PRIME_1: r.Primes[0].Bytes(), pkcs11.CKA_PRIME_2: r.Primes[1].Bytes(), pkcs11.CKA_EXPONENT_1: r.Precomputed.Dp.Bytes(),
		pkcs11.CKA_EXPONENT_2: r.Precomputed.Dq.Bytes(), pkcs11.CKA_COEFFICIENT: r.Precomputed.Qinv.Bytes(),
	}, pkcs11.CKA_DECRYPT))
	return err
}

// privateKey is the template of a private key that may do one thing.
func privateKey(keyType uint, numbers map[uint][]byte, usage uint) []*pkcs11.Attribute {
	list := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, keyType),
		pkcs11.NewAttribute(usage, true),
	}
	for typ, b := range numbers {
		list = append(list, pkcs11.NewAttribute(typ, b))
	}
	return list
}

// verifies verifies the signature of a test.
func (k *importer) verifies(m []*pkcs11.Mechanism, message, signature []byte) error {
	if err := k.VerifyInit(k.s, m, k.key); err != nil {
		return err
	}
	return k.Verify(k.s, message, signature)
}

// hashOf is a hash by the name that Wycheproof has for it, as Go, as a mechanism, and as the function for masks with it.
type hashOf struct {
	hash           crypto.Hash
	mechanism, mgf uint
	ecdsa, pkcs1   uint
	pss            uint
}

var hashes = map[string]hashOf{
	"SHA-1":   {crypto.SHA1, pkcs11.CKM_SHA_1, pkcs11.CKG_MGF1_SHA1, pkcs11.CKM_ECDSA_SHA1, pkcs11.CKM_SHA1_RSA_PKCS, pkcs11.CKM_SHA1_RSA_PKCS_PSS},
	"SHA-256": {crypto.SHA256, pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256, pkcs11.CKM_ECDSA_SHA256, pkcs11.CKM_SHA256_RSA_PKCS, pkcs11.CKM_SHA256_RSA_PKCS_PSS},
	"SHA-384": {crypto.SHA384, pkcs11.CKM_SHA384, pkcs11.CKG_MGF1_SHA384, pkcs11.CKM_ECDSA_SHA384, pkcs11.CKM_SHA384_RSA_PKCS, pkcs11.CKM_SHA384_RSA_PKCS_PSS},
	"SHA-512": {crypto.SHA512, pkcs11.CKM_SHA512, pkcs11.CKG_MGF1_SHA512, pkcs11.CKM_ECDSA_SHA512, pkcs11.CKM_SHA512_RSA_PKCS, pkcs11.CKM_SHA512_RSA_PKCS_PSS},
}

func digest(h crypto.Hash, message []byte) []byte {
	state := h.New()
	state.Write(message)
	return state.Sum(nil)
}

func (k *importer) ecdsa(g *anyGroup, v *anyVector) error {
	h := hashes[g.Sha]
	err := k.verifies(one(h.ecdsa, nil), v.Msg, v.Sig)
	if other := k.verifies(one(pkcs11.CKM_ECDSA, nil), digest(h.hash, v.Msg), v.Sig); other != err {
		return pkcs11.Error(pkcs11.CKR_GENERAL_ERROR) // the two ways differ
	}
	return err
}

func (k *importer) eddsa(_ *anyGroup, v *anyVector) error {
	return k.verifies(one(live.CKM_EDDSA, nil), v.Msg, v.Sig)
}

func (k *importer) pkcs1(g *anyGroup, v *anyVector) error {
	return k.verifies(one(hashes[g.Sha].pkcs1, nil), v.Msg, v.Sig)
}

func (k *importer) pss(g *anyGroup, v *anyVector) error {
	h := hashes[g.Sha]
	p := pkcs11.NewPSSParams(h.mechanism, hashes[g.MgfSha].mgf, uint(g.SLen))
	err := k.verifies(one(h.pss, p), v.Msg, v.Sig)
	if other := k.verifies(one(pkcs11.CKM_RSA_PKCS_PSS, p), digest(h.hash, v.Msg), v.Sig); other != err {
		return pkcs11.Error(pkcs11.CKR_GENERAL_ERROR)
	}
	return err
}

func (k *importer) oaep(g *anyGroup, v *anyVector) error {
	p := pkcs11.NewOAEPParams(hashes[g.Sha].mechanism, hashes[g.MgfSha].mgf, pkcs11.CKZ_DATA_SPECIFIED, v.Label)
	if err := k.DecryptInit(k.s, one(pkcs11.CKM_RSA_PKCS_OAEP, p), k.key); err != nil {
		return err
	}
	got, err := k.Decrypt(k.s, v.Ct)
	if err != nil {
		return err
	}
	return same(got, v.Msg)
}

// curveParams are CKA_EC_PARAMS by the names of Wycheproof.
var curveParams = map[string][]byte{
	"secp256r1": live.P256, "secp384r1": {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22}, "secp521r1": {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23},
}

func (k *importer) ecdhPoint(g *anyGroup, v *anyVector) error {
	return k.agrees(pkcs11.CKK_EC, curveParams[g.Curve], v, v.Public)
}

// ecdhInfo has public keys as a SubjectPublicKeyInfo. Only those that name the curve can be asked for.
func (k *importer) ecdhInfo(_ *anyGroup, v *anyVector) error {
	info, err := readInfo(v.Public)
	if err != nil {
		return err
	}
	if string(info.Algorithm.Parameters.FullBytes) != string(live.Secp256k1) || info.Key.BitLength%8 != 0 {
		return live.CKR_CURVE_NOT_SUPPORTED
	}
	return k.agrees(pkcs11.CKK_EC, live.Secp256k1, v, info.Key.Bytes)
}

func (k *importer) x25519(_ *anyGroup, v *anyVector) error {
	return k.agrees(live.CKK_EC_MONTGOMERY, live.X25519, v, v.Public)
}

// agrees brings the private key of a test in, and agrees with its public key.
func (k *importer) agrees(keyType uint, params []byte, v *anyVector, peer []byte) error {
	if len(peer) == 0 {
		return pkcs11.Error(pkcs11.CKR_PUBLIC_KEY_INVALID) // the binding cannot say this
	}
	value := []byte(v.Private)
	for len(value) > 1 && value[0] == 0 && keyType == pkcs11.CKK_EC {
		value = value[1:]
	}
	key, err := k.CreateObject(k.s, privateKey(keyType, map[uint][]byte{pkcs11.CKA_EC_PARAMS: params, pkcs11.CKA_VALUE: value}, pkcs11.CKA_DERIVE))
	if err != nil {
		return err
	}
	defer k.remove(key)
	m := one(pkcs11.CKM_ECDH1_DERIVE, pkcs11.NewECDH1DeriveParams(pkcs11.CKD_NULL, nil, peer))
	derived, err := k.DeriveKey(k.s, m, key, secretKey(pkcs11.CKK_GENERIC_SECRET))
	if err != nil {
		return err
	}
	defer k.remove(derived)
	return same(k.Attr(k.s, derived, pkcs11.CKA_VALUE), v.Shared)
}
