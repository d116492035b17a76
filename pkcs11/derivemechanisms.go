// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"crypto"

	"libzk_pkcs11/internal/softkey"
)

// secretKeys are those that others are made of, or that are made of others.
var secretKeys = &keySort{types: []uint{
	CKK_GENERIC_SECRET, CKK_AES, CKK_HKDF, CKK_SHA_1_HMAC, CKK_SHA224_HMAC, CKK_SHA256_HMAC, CKK_SHA384_HMAC, CKK_SHA512_HMAC,
	CKK_SHA512_224_HMAC, CKK_SHA512_256_HMAC, CKK_SHA3_224_HMAC, CKK_SHA3_256_HMAC, CKK_SHA3_384_HMAC, CKK_SHA3_512_HMAC,
}, secret: true, sealed: span{1, 1 << 16}} // in bytes

var hkdfKeys = &keySort{types: []uint{CKK_HKDF}, secret: true, sealed: span{1, 1 << 16}}

var deriveMechanisms = map[uint]mechanism{
	CKM_ECDH1_COFACTOR_DERIVE: {keys: agreeingKeys, derive: deriveECDH, params: ecdhParams},

	CKM_HKDF_DERIVE:  {keys: secretKeys, derive: deriveHKDF, params: hkdfParams},
	CKM_HKDF_DATA:    {keys: secretKeys, derive: deriveHKDF, params: hkdfParams, data: true},
	CKM_HKDF_KEY_GEN: {keys: hkdfKeys, generateKey: makeSecret},

	CKM_SHA1_KEY_DERIVATION:       {keys: secretKeys, derive: deriveHash, hash: crypto.SHA1},
	CKM_SHA224_KEY_DERIVATION:     {keys: secretKeys, derive: deriveHash, hash: crypto.SHA224},
	CKM_SHA256_KEY_DERIVATION:     {keys: secretKeys, derive: deriveHash, hash: crypto.SHA256},
	CKM_SHA384_KEY_DERIVATION:     {keys: secretKeys, derive: deriveHash, hash: crypto.SHA384},
	CKM_SHA512_KEY_DERIVATION:     {keys: secretKeys, derive: deriveHash, hash: crypto.SHA512},
	CKM_SHA512_224_KEY_DERIVATION: {keys: secretKeys, derive: deriveHash, hash: crypto.SHA512_224},
	CKM_SHA512_256_KEY_DERIVATION: {keys: secretKeys, derive: deriveHash, hash: crypto.SHA512_256},
	CKM_SHA3_224_KEY_DERIVATION:   {keys: secretKeys, derive: deriveHash, hash: crypto.SHA3_224},
	CKM_SHA3_256_KEY_DERIVATION:   {keys: secretKeys, derive: deriveHash, hash: crypto.SHA3_256},
	CKM_SHA3_384_KEY_DERIVATION:   {keys: secretKeys, derive: deriveHash, hash: crypto.SHA3_384},
	CKM_SHA3_512_KEY_DERIVATION:   {keys: secretKeys, derive: deriveHash, hash: crypto.SHA3_512},

	CKM_CONCATENATE_BASE_AND_KEY:  {keys: secretKeys, derive: deriveJoinedKeys, params: handleParams, inherits: true},
	CKM_CONCATENATE_BASE_AND_DATA: {keys: secretKeys, derive: deriveBaseAndData, params: dataParams, inherits: true},
	CKM_CONCATENATE_DATA_AND_BASE: {keys: secretKeys, derive: deriveDataAndBase, params: dataParams, inherits: true},
	CKM_XOR_BASE_AND_DATA:         {keys: secretKeys, derive: deriveXOR, params: dataParams, inherits: true},
	CKM_EXTRACT_KEY_FROM_KEY:      {keys: secretKeys, derive: deriveBits, params: bitParams, inherits: true},

	CKM_AES_ECB_ENCRYPT_DATA: {keys: aesKeys, derive: deriveECB, params: dataParams},
	CKM_AES_CBC_ENCRYPT_DATA: {keys: aesKeys, derive: deriveCBC, params: blockDataParams},

	CKM_PKCS5_PBKD2: {keys: secretKeys, generateOf: makeOfPassword, params: passwordParams},
}

// DerivationData is a CK_KEY_DERIVATION_STRING_DATA.
type DerivationData struct{ Data []byte }

// EncryptedData is a CK_AES_CBC_ENCRYPT_DATA_PARAMS.
type EncryptedData struct{ IV, Data []byte }

func blockDataParams(m *Mechanism) error {
	if _, is := m.Params.(*EncryptedData); !is {
		return CKR_MECHANISM_PARAM_INVALID
	}
	return nil
}

func dataParams(m *Mechanism) error {
	if _, is := m.Params.(*DerivationData); !is {
		return CKR_MECHANISM_PARAM_INVALID
	}
	return nil
}

func (t *task) derivationData() []byte { return t.how.Params.(*DerivationData).Data }

// handleParams checks the parameter of CKM_CONCATENATE_BASE_AND_KEY, a CK_OBJECT_HANDLE.
func handleParams(m *Mechanism) error {
	key, whole := decodeULong(m.Parameter)
	if !whole {
		return CKR_MECHANISM_PARAM_INVALID
	}
	m.Params = &secondKey{key: key}
	return nil
}

// secondKey is the second key of a concatenation.
type secondKey struct {
	key   uint
	value *softkey.Secret
}

func (p *secondKey) handle() (uint, bool)   { return p.key, true }
func (p *secondKey) take(k *softkey.Secret) { p.value = k }

// bitParams checks the parameter of CKM_EXTRACT_KEY_FROM_KEY, a CK_ULONG.
func bitParams(m *Mechanism) error {
	if _, whole := decodeULong(m.Parameter); !whole {
		return CKR_MECHANISM_PARAM_INVALID
	}
	return nil
}

// HKDFParams is a CK_HKDF_PARAMS.
type HKDFParams struct {
	Extract, Expand bool
	Hash            uint // CKM_
	SaltType        uint // CKF_HKDF_SALT_
	Salt            []byte
	SaltKey         uint
	Info            []byte

	salt *softkey.Secret
}

func (p *HKDFParams) handle() (uint, bool) {
	return p.SaltKey, p.Extract && p.SaltType == CKF_HKDF_SALT_KEY
}
func (p *HKDFParams) take(k *softkey.Secret) { p.salt = k }

func hkdfParams(m *Mechanism) error {
	p, is := m.Params.(*HKDFParams)
	if !is || !p.Extract && !p.Expand || hashOf(p.Hash) == 0 {
		return CKR_MECHANISM_PARAM_INVALID
	}
	if p.Extract && p.SaltType != CKF_HKDF_SALT_NULL && p.SaltType != CKF_HKDF_SALT_DATA && p.SaltType != CKF_HKDF_SALT_KEY {
		return CKR_MECHANISM_PARAM_INVALID
	}
	return nil
}

func deriveHKDF(t *task, a attributes) ([]byte, error) {
	p, n := t.how.Params.(*HKDFParams), a.derivedSize()
	k, err := secretOf(t)
	if err != nil {
		return nil, err
	}
	if p.Expand && n == 0 {
		return nil, refuse(CKR_TEMPLATE_INCOMPLETE, CKA_VALUE_LEN, "is missing")
	}
	how := softkey.HKDF{Hash: hashOf(p.Hash), Extract: p.Extract, Expand: p.Expand, Info: p.Info}
	if p.SaltType == CKF_HKDF_SALT_DATA {
		how.Salt = p.Salt
	}
	if p.salt != nil {
		how.Salt = p.salt.Value()
		defer clear(how.Salt)
	}
	return k.HKDF(how, n)
}

func deriveHash(t *task, a attributes) ([]byte, error) {
	k, err := secretOf(t)
	if err != nil {
		return nil, err
	}
	return k.DeriveHash(t.row.hash, a.derivedSize())
}

func deriveJoinedKeys(t *task, a attributes) ([]byte, error) {
	k, err := secretOf(t)
	if err != nil {
		return nil, err
	}
	return k.Concatenate(t.how.Params.(*secondKey).value, a.derivedSize())
}

func deriveBaseAndData(t *task, a attributes) ([]byte, error) {
	k, err := secretOf(t)
	if err != nil {
		return nil, err
	}
	return k.ConcatenateData(t.derivationData(), a.derivedSize())
}

func deriveDataAndBase(t *task, a attributes) ([]byte, error) {
	k, err := secretOf(t)
	if err != nil {
		return nil, err
	}
	return k.ConcatenateToData(t.derivationData(), a.derivedSize())
}

func deriveXOR(t *task, a attributes) ([]byte, error) {
	k, err := secretOf(t)
	if err != nil {
		return nil, err
	}
	return k.XOR(t.derivationData(), a.derivedSize())
}

func deriveBits(t *task, a attributes) ([]byte, error) {
	k, err := secretOf(t)
	if err != nil {
		return nil, err
	}
	if a.derivedSize() == 0 {
		return nil, refuse(CKR_TEMPLATE_INCOMPLETE, CKA_VALUE_LEN, "is missing")
	}
	first, _ := decodeULong(t.how.Parameter)
	return k.Extract(uint64(first), a.derivedSize())
}

func deriveECB(t *task, a attributes) ([]byte, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.DeriveECB(t.derivationData(), a.derivedSize())
}

func deriveCBC(t *task, a attributes) ([]byte, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	p := t.how.Params.(*EncryptedData)
	return k.DeriveCBC(p.IV, p.Data, a.derivedSize())
}

// PBKDF2Params is a CK_PKCS5_PBKD2_PARAMS2.
type PBKDF2Params struct {
	SaltSource uint
	Salt       []byte
	Iterations uint
	PRF        uint
	PRFData    []byte
	Password   []byte
}

// eraseSecrets overwrites the password.
func (p *PBKDF2Params) eraseSecrets() { clear(p.Password) }

// maxIterations bounds how long a call lasts: those of all blocks that the key is made of.
const maxIterations = 100_000_000

// passwordHashes are those of CKP_PKCS5_PBKD2_HMAC_.
var passwordHashes = map[uint]crypto.Hash{
	CKP_PKCS5_PBKD2_HMAC_SHA1:       crypto.SHA1,
	CKP_PKCS5_PBKD2_HMAC_SHA224:     crypto.SHA224,
	CKP_PKCS5_PBKD2_HMAC_SHA256:     crypto.SHA256,
	CKP_PKCS5_PBKD2_HMAC_SHA384:     crypto.SHA384,
	CKP_PKCS5_PBKD2_HMAC_SHA512:     crypto.SHA512,
	CKP_PKCS5_PBKD2_HMAC_SHA512_224: crypto.SHA512_224,
	CKP_PKCS5_PBKD2_HMAC_SHA512_256: crypto.SHA512_256,
}

func passwordParams(m *Mechanism) error {
	p, is := m.Params.(*PBKDF2Params)
	if !is || p.SaltSource != CKZ_SALT_SPECIFIED || passwordHashes[p.PRF] == 0 || len(p.PRFData) > 0 ||
		p.Iterations == 0 || p.Iterations > maxIterations {
		return CKR_MECHANISM_PARAM_INVALID
	}
	return nil
}

// makeOfPassword is CKM_PKCS5_PBKD2.
func makeOfPassword(m *Mechanism, a attributes) ([]byte, error) {
	p := m.Params.(*PBKDF2Params)
	if a.derivedSize() == 0 {
		return nil, refuse(CKR_TEMPLATE_INCOMPLETE, CKA_VALUE_LEN, "is missing")
	}
	h := passwordHashes[p.PRF]
	if blocks := (a.derivedSize() + h.Size() - 1) / h.Size(); p.Iterations > maxIterations/uint(blocks) {
		return nil, CKR_MECHANISM_PARAM_INVALID
	}
	value, err := softkey.PBKDF2(h, p.Password, p.Salt, uint64(p.Iterations), a.derivedSize())
	return value, derivingFailure(err)
}
