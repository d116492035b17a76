// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"crypto"

	"libzk_pkcs11/internal/softkey"
)

var secretMechanisms = map[uint]mechanism{
	CKM_GENERIC_SECRET_KEY_GEN: {keys: genericKeys, generateKey: makeSecret},

	CKM_SHA_1_KEY_GEN:      {keys: sha1Keys, generateKey: makeSecret, hash: crypto.SHA1},
	CKM_SHA224_KEY_GEN:     {keys: sha224Keys, generateKey: makeSecret, hash: crypto.SHA224},
	CKM_SHA256_KEY_GEN:     {keys: sha256Keys, generateKey: makeSecret, hash: crypto.SHA256},
	CKM_SHA384_KEY_GEN:     {keys: sha384Keys, generateKey: makeSecret, hash: crypto.SHA384},
	CKM_SHA512_KEY_GEN:     {keys: sha512Keys, generateKey: makeSecret, hash: crypto.SHA512},
	CKM_SHA512_224_KEY_GEN: {keys: sha512224Keys, generateKey: makeSecret, hash: crypto.SHA512_224},
	CKM_SHA512_256_KEY_GEN: {keys: sha512256Keys, generateKey: makeSecret, hash: crypto.SHA512_256},
	CKM_SHA3_224_KEY_GEN:   {keys: sha3224Keys, generateKey: makeSecret, hash: crypto.SHA3_224},
	CKM_SHA3_256_KEY_GEN:   {keys: sha3256Keys, generateKey: makeSecret, hash: crypto.SHA3_256},
	CKM_SHA3_384_KEY_GEN:   {keys: sha3384Keys, generateKey: makeSecret, hash: crypto.SHA3_384},
	CKM_SHA3_512_KEY_GEN:   {keys: sha3512Keys, generateKey: makeSecret, hash: crypto.SHA3_512},

	CKM_SHA_1_HMAC:      {keys: sha1Keys, sign: signHMAC, verify: verifyHMAC, hash: crypto.SHA1},
	CKM_SHA224_HMAC:     {keys: sha224Keys, sign: signHMAC, verify: verifyHMAC, hash: crypto.SHA224},
	CKM_SHA256_HMAC:     {keys: sha256Keys, sign: signHMAC, verify: verifyHMAC, hash: crypto.SHA256},
	CKM_SHA384_HMAC:     {keys: sha384Keys, sign: signHMAC, verify: verifyHMAC, hash: crypto.SHA384},
	CKM_SHA512_HMAC:     {keys: sha512Keys, sign: signHMAC, verify: verifyHMAC, hash: crypto.SHA512},
	CKM_SHA512_224_HMAC: {keys: sha512224Keys, sign: signHMAC, verify: verifyHMAC, hash: crypto.SHA512_224},
	CKM_SHA512_256_HMAC: {keys: sha512256Keys, sign: signHMAC, verify: verifyHMAC, hash: crypto.SHA512_256},
	CKM_SHA3_224_HMAC:   {keys: sha3224Keys, sign: signHMAC, verify: verifyHMAC, hash: crypto.SHA3_224},
	CKM_SHA3_256_HMAC:   {keys: sha3256Keys, sign: signHMAC, verify: verifyHMAC, hash: crypto.SHA3_256},
	CKM_SHA3_384_HMAC:   {keys: sha3384Keys, sign: signHMAC, verify: verifyHMAC, hash: crypto.SHA3_384},
	CKM_SHA3_512_HMAC:   {keys: sha3512Keys, sign: signHMAC, verify: verifyHMAC, hash: crypto.SHA3_512},

	CKM_SHA_1_HMAC_GENERAL:      {keys: sha1Keys, sign: signHMACGeneral, verify: verifyHMACGeneral, hash: crypto.SHA1, params: anyBytes},
	CKM_SHA224_HMAC_GENERAL:     {keys: sha224Keys, sign: signHMACGeneral, verify: verifyHMACGeneral, hash: crypto.SHA224, params: anyBytes},
	CKM_SHA256_HMAC_GENERAL:     {keys: sha256Keys, sign: signHMACGeneral, verify: verifyHMACGeneral, hash: crypto.SHA256, params: anyBytes},
	CKM_SHA384_HMAC_GENERAL:     {keys: sha384Keys, sign: signHMACGeneral, verify: verifyHMACGeneral, hash: crypto.SHA384, params: anyBytes},
	CKM_SHA512_HMAC_GENERAL:     {keys: sha512Keys, sign: signHMACGeneral, verify: verifyHMACGeneral, hash: crypto.SHA512, params: anyBytes},
	CKM_SHA512_224_HMAC_GENERAL: {keys: sha512224Keys, sign: signHMACGeneral, verify: verifyHMACGeneral, hash: crypto.SHA512_224, params: anyBytes},
	CKM_SHA512_256_HMAC_GENERAL: {keys: sha512256Keys, sign: signHMACGeneral, verify: verifyHMACGeneral, hash: crypto.SHA512_256, params: anyBytes},
	CKM_SHA3_224_HMAC_GENERAL:   {keys: sha3224Keys, sign: signHMACGeneral, verify: verifyHMACGeneral, hash: crypto.SHA3_224, params: anyBytes},
	CKM_SHA3_256_HMAC_GENERAL:   {keys: sha3256Keys, sign: signHMACGeneral, verify: verifyHMACGeneral, hash: crypto.SHA3_256, params: anyBytes},
	CKM_SHA3_384_HMAC_GENERAL:   {keys: sha3384Keys, sign: signHMACGeneral, verify: verifyHMACGeneral, hash: crypto.SHA3_384, params: anyBytes},
	CKM_SHA3_512_HMAC_GENERAL:   {keys: sha3512Keys, sign: signHMACGeneral, verify: verifyHMACGeneral, hash: crypto.SHA3_512, params: anyBytes},
}

// makeSecret makes the value of a key as its template wants it.
func makeSecret(a attributes) ([]byte, error) {
	if _, given := a[CKA_VALUE_LEN]; !given {
		return nil, refuse(CKR_TEMPLATE_INCOMPLETE, CKA_VALUE_LEN, "is missing")
	}
	k, err := softkey.GenerateSecret(int(min(a.number(CKA_VALUE_LEN), 1<<20)))
	if err != nil {
		return nil, refuse(CKR_ATTRIBUTE_VALUE_INVALID, CKA_VALUE_LEN, "is not from 1 to 65536")
	}
	return k.Value(), nil
}

// hmac begins a code, which is made or checked.
func (t *task) hmac() (*softkey.MAC, error) {
	k, err := keyOf[*softkey.Secret](t)
	if err != nil {
		return nil, err
	}
	return k.HMAC(t.row.hash)
}

// hmacGeneral begins a code of which as much counts as the parameter says.
func (t *task) hmacGeneral() (*softkey.MAC, error) {
	k, err := keyOf[*softkey.Secret](t)
	if err != nil {
		return nil, err
	}
	size, err := t.how.macSize()
	if err != nil {
		return nil, err
	}
	return k.HMACGeneral(t.row.hash, size)
}

func signHMAC(t *task) (softkey.Signer, error)            { return signerOf(t.hmac()) }
func verifyHMAC(t *task) (softkey.Verifier, error)        { return verifierOf(t.hmac()) }
func signHMACGeneral(t *task) (softkey.Signer, error)     { return signerOf(t.hmacGeneral()) }
func verifyHMACGeneral(t *task) (softkey.Verifier, error) { return verifierOf(t.hmacGeneral()) }

// signerOf has a code be made. An error comes without it: a nil pointer would be a Signer.
func signerOf(m *softkey.MAC, err error) (softkey.Signer, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}

// verifierOf has a code be checked.
func verifierOf(m *softkey.MAC, err error) (softkey.Verifier, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}
