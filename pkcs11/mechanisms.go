// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "crypto"

// mechanisms is the table of mechanisms. C_GetMechanismList and C_GetMechanismInfo answer from it, cut to what
// the token can do.
var mechanisms = withWrapping(joinMechanisms(hashMechanisms, curveMechanisms, deviceMechanisms,
	sealed(rsaMechanisms), sealed(aesMechanisms), sealed(secretMechanisms), sealed(deriveMechanisms), sealed(latticeMechanisms)))

// joinMechanisms makes one table of several.
func joinMechanisms(tables ...map[uint]mechanism) map[uint]*mechanism {
	all := map[uint]*mechanism{}
	for _, table := range tables {
		for typ, row := range table {
			all[typ] = &row
		}
	}
	return all
}

// sealed has the mechanisms of a table be there only where keys are sealed.
func sealed(table map[uint]mechanism) map[uint]mechanism {
	for typ, row := range table {
		row.sealed = true
		table[typ] = row
	}
	return table
}

var hashMechanisms = map[uint]mechanism{
	CKM_SHA_1:      {hash: crypto.SHA1, digest: crypto.Hash.New},
	CKM_SHA224:     {hash: crypto.SHA224, digest: crypto.Hash.New},
	CKM_SHA256:     {hash: crypto.SHA256, digest: crypto.Hash.New},
	CKM_SHA384:     {hash: crypto.SHA384, digest: crypto.Hash.New},
	CKM_SHA512:     {hash: crypto.SHA512, digest: crypto.Hash.New},
	CKM_SHA512_224: {hash: crypto.SHA512_224, digest: crypto.Hash.New},
	CKM_SHA512_256: {hash: crypto.SHA512_256, digest: crypto.Hash.New},
	CKM_SHA3_224:   {hash: crypto.SHA3_224, digest: crypto.Hash.New},
	CKM_SHA3_256:   {hash: crypto.SHA3_256, digest: crypto.Hash.New},
	CKM_SHA3_384:   {hash: crypto.SHA3_384, digest: crypto.Hash.New},
	CKM_SHA3_512:   {hash: crypto.SHA3_512, digest: crypto.Hash.New},
}

var curveMechanisms = map[uint]mechanism{
	CKM_EC_KEY_PAIR_GEN:            {keys: ecKeys, generatePair: generateOnCurve, makePair: makeOnCurve},
	CKM_EC_EDWARDS_KEY_PAIR_GEN:    {keys: edwardsKeys, generatePair: generateOnCurve, makePair: makeOnCurve},
	CKM_EC_MONTGOMERY_KEY_PAIR_GEN: {keys: montgomeryKeys, generatePair: generateOnCurve, makePair: makeOnCurve},

	CKM_ECDSA:          {keys: ecKeys, sign: signOnCurve, verify: verifyOnCurve, onePart: true},
	CKM_ECDSA_SHA1:     {keys: ecKeys, sign: signOnCurve, verify: verifyOnCurve, hash: crypto.SHA1},
	CKM_ECDSA_SHA224:   {keys: ecKeys, sign: signOnCurve, verify: verifyOnCurve, hash: crypto.SHA224},
	CKM_ECDSA_SHA256:   {keys: ecKeys, sign: signOnCurve, verify: verifyOnCurve, hash: crypto.SHA256},
	CKM_ECDSA_SHA384:   {keys: ecKeys, sign: signOnCurve, verify: verifyOnCurve, hash: crypto.SHA384},
	CKM_ECDSA_SHA512:   {keys: ecKeys, sign: signOnCurve, verify: verifyOnCurve, hash: crypto.SHA512},
	CKM_ECDSA_SHA3_224: {keys: ecKeys, sign: signOnCurve, verify: verifyOnCurve, hash: crypto.SHA3_224},
	CKM_ECDSA_SHA3_256: {keys: ecKeys, sign: signOnCurve, verify: verifyOnCurve, hash: crypto.SHA3_256},
	CKM_ECDSA_SHA3_384: {keys: ecKeys, sign: signOnCurve, verify: verifyOnCurve, hash: crypto.SHA3_384},
	CKM_ECDSA_SHA3_512: {keys: ecKeys, sign: signOnCurve, verify: verifyOnCurve, hash: crypto.SHA3_512},
	CKM_EDDSA:          {keys: edwardsKeys, sign: signOnCurve, verify: verifyOnCurve, params: eddsaParams},

	CKM_ECDH1_DERIVE: {keys: agreeingKeys, derive: deriveECDH, params: ecdhParams},
}

// deviceMechanisms are those of an SCM alone.
var deviceMechanisms = map[uint]mechanism{
	CKM_ZK_LOCK: {needs: canLock, encrypt: lockData, decrypt: unlockData, params: lockParams},
}
