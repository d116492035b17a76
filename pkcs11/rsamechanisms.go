// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto"
	"math/big"

	"libzk_pkcs11/internal/softkey"
)

var rsaMechanisms = map[uint]mechanism{
	CKM_RSA_PKCS_KEY_PAIR_GEN: {keys: rsaKeys, generatePair: generateSealed, makePair: makeRSA},

	CKM_RSA_PKCS:      {keys: rsaKeys, sign: signPKCS1, verify: verifyPKCS1, recover: recoverPKCS1, encrypt: encryptPKCS1, decrypt: decryptPKCS1, onePart: true},
	CKM_RSA_X_509:     {keys: rsaKeys, sign: signRaw, verify: verifyRaw, recover: recoverRaw, encrypt: encryptRaw, decrypt: decryptRaw, onePart: true},
	CKM_RSA_PKCS_OAEP: {keys: rsaKeys, encrypt: encryptOAEP, decrypt: decryptOAEP, onePart: true, params: oaepParams},
	CKM_RSA_PKCS_PSS:  {keys: rsaKeys, sign: signDigestPSS, verify: verifyDigestPSS, onePart: true, params: pssParams},

	CKM_RSA_AES_KEY_WRAP: {keys: rsaKeys, encrypt: wrapRSAAES, decrypt: unwrapRSAAES, onePart: true, wrapsOnly: true, params: rsaAESParams},

	CKM_SHA1_RSA_PKCS:     {keys: rsaKeys, sign: signPKCS1, verify: verifyPKCS1, hash: crypto.SHA1},
	CKM_SHA224_RSA_PKCS:   {keys: rsaKeys, sign: signPKCS1, verify: verifyPKCS1, hash: crypto.SHA224},
	CKM_SHA256_RSA_PKCS:   {keys: rsaKeys, sign: signPKCS1, verify: verifyPKCS1, hash: crypto.SHA256},
	CKM_SHA384_RSA_PKCS:   {keys: rsaKeys, sign: signPKCS1, verify: verifyPKCS1, hash: crypto.SHA384},
	CKM_SHA512_RSA_PKCS:   {keys: rsaKeys, sign: signPKCS1, verify: verifyPKCS1, hash: crypto.SHA512},
	CKM_SHA3_224_RSA_PKCS: {keys: rsaKeys, sign: signPKCS1, verify: verifyPKCS1, hash: crypto.SHA3_224},
	CKM_SHA3_256_RSA_PKCS: {keys: rsaKeys, sign: signPKCS1, verify: verifyPKCS1, hash: crypto.SHA3_256},
	CKM_SHA3_384_RSA_PKCS: {keys: rsaKeys, sign: signPKCS1, verify: verifyPKCS1, hash: crypto.SHA3_384},
	CKM_SHA3_512_RSA_PKCS: {keys: rsaKeys, sign: signPKCS1, verify: verifyPKCS1, hash: crypto.SHA3_512},

	CKM_SHA1_RSA_PKCS_PSS:     {keys: rsaKeys, sign: signPSS, verify: verifyPSS, hash: crypto.SHA1, params: pssParams},
	CKM_SHA224_RSA_PKCS_PSS:   {keys: rsaKeys, sign: signPSS, verify: verifyPSS, hash: crypto.SHA224, params: pssParams},
	CKM_SHA256_RSA_PKCS_PSS:   {keys: rsaKeys, sign: signPSS, verify: verifyPSS, hash: crypto.SHA256, params: pssParams},
	CKM_SHA384_RSA_PKCS_PSS:   {keys: rsaKeys, sign: signPSS, verify: verifyPSS, hash: crypto.SHA384, params: pssParams},
	CKM_SHA512_RSA_PKCS_PSS:   {keys: rsaKeys, sign: signPSS, verify: verifyPSS, hash: crypto.SHA512, params: pssParams},
	CKM_SHA3_224_RSA_PKCS_PSS: {keys: rsaKeys, sign: signPSS, verify: verifyPSS, hash: crypto.SHA3_224, params: pssParams},
	CKM_SHA3_256_RSA_PKCS_PSS: {keys: rsaKeys, sign: signPSS, verify: verifyPSS, hash: crypto.SHA3_256, params: pssParams},
	CKM_SHA3_384_RSA_PKCS_PSS: {keys: rsaKeys, sign: signPSS, verify: verifyPSS, hash: crypto.SHA3_384, params: pssParams},
	CKM_SHA3_512_RSA_PKCS_PSS: {keys: rsaKeys, sign: signPSS, verify: verifyPSS, hash: crypto.SHA3_512, params: pssParams},
}

// publicExponent is the one that keys are made with.
var publicExponent = big.NewInt(65537).Bytes()

// makeRSA makes a key pair as the template of the public key wants it.
func makeRSA(public attributes) (softkey.PrivateKey, error) {
	if e, given := public[CKA_PUBLIC_EXPONENT]; given && !bytes.Equal(bytes.TrimLeft(e, "\x00"), publicExponent) {
		return nil, refuse(CKR_ATTRIBUTE_VALUE_INVALID, CKA_PUBLIC_EXPONENT, "is not 65537")
	}
	k, err := softkey.GenerateRSA(int(min(public.number(CKA_MODULUS_BITS), 1<<16)))
	if err != nil {
		return nil, refuse(CKR_ATTRIBUTE_VALUE_INVALID, CKA_MODULUS_BITS, "is not from 2048 to 4096, or no whole number of bytes")
	}
	return k, nil
}

// signPKCS1 begins a signature by PKCS #1 v1.5, of a hash or of what the caller has made of one.
func signPKCS1(t *task) (softkey.Signer, error) {
	k, err := keyOf[*softkey.RSA](t)
	if err != nil {
		return nil, err
	}
	return k.SignPKCS1(t.row.hash)
}

// verifyPKCS1 begins a verification by PKCS #1 v1.5.
func verifyPKCS1(t *task) (softkey.Verifier, error) {
	k, err := publicOf[*softkey.RSAPublic](t)
	if err != nil {
		return nil, err
	}
	return k.VerifyPKCS1(t.row.hash)
}

// signRaw begins a signature without a padding.
func signRaw(t *task) (softkey.Signer, error) {
	k, err := keyOf[*softkey.RSA](t)
	if err != nil {
		return nil, err
	}
	return k.SignRaw(), nil
}

// verifyRaw begins a verification without a padding.
func verifyRaw(t *task) (softkey.Verifier, error) {
	k, err := publicOf[*softkey.RSAPublic](t)
	if err != nil {
		return nil, err
	}
	return k.VerifyRaw(), nil
}
