// SPDX-License-Identifier: Apache-2.0

package pkcs11

// Objects that the token keeps for others, and does nothing with itself.

// domainRules are those of the parameters that keys of others share (section 4.12).
var domainRules = rules{
	CKA_KEY_TYPE: {number, needCreate, nil},
	CKA_LOCAL:    {truth, ours, no},
}

// parameterObjects are the rules for domain parameters, by the type of key that they are of.
var parameterObjects = map[uint]rules{
	CKK_DSA:      mergeRules(storageRules, domainRules, primeRules, subprimeRules),
	CKK_DH:       mergeRules(storageRules, domainRules, primeRules),
	CKK_X9_42_DH: mergeRules(storageRules, domainRules, primeRules, subprimeRules),
}

var primeRules = rules{
	CKA_PRIME:      {octets, needCreate, nil},
	CKA_BASE:       {octets, needCreate, nil},
	CKA_PRIME_BITS: {number, notCreate, nil},
}

var subprimeRules = rules{
	CKA_SUBPRIME:      {octets, needCreate, nil},
	CKA_SUBPRIME_BITS: {number, notCreate, nil},
}

// trustRules are those of what somebody thinks of a certificate, which these name (section 4.17 of PKCS#11 3.2).
var trustRules = rules{
	CKA_ISSUER:                 {octets, needCreate, nil},
	CKA_SERIAL_NUMBER:          {octets, needCreate, nil},
	CKA_HASH_OF_CERTIFICATE:    {octets, 0, empty},
	CKA_NAME_HASH_ALGORITHM:    {number, 0, encodeULong(CKM_SHA_1)},
	CKA_TRUST_SERVER_AUTH:      {number, modifiable, encodeULong(CKT_TRUST_UNKNOWN)},
	CKA_TRUST_CLIENT_AUTH:      {number, modifiable, encodeULong(CKT_TRUST_UNKNOWN)},
	CKA_TRUST_CODE_SIGNING:     {number, modifiable, encodeULong(CKT_TRUST_UNKNOWN)},
	CKA_TRUST_EMAIL_PROTECTION: {number, modifiable, encodeULong(CKT_TRUST_UNKNOWN)},
	CKA_TRUST_IPSEC_IKE:        {number, modifiable, encodeULong(CKT_TRUST_UNKNOWN)},
	CKA_TRUST_TIME_STAMPING:    {number, modifiable, encodeULong(CKT_TRUST_UNKNOWN)},
	CKA_TRUST_OCSP_SIGNING:     {number, modifiable, encodeULong(CKT_TRUST_UNKNOWN)},
}

var trustObject = mergeRules(storageRules, trustRules)
