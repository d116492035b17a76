// SPDX-License-Identifier: Apache-2.0

package live

import "github.com/miekg/pkcs11"

// What the binding has no names for, by the names of the specification.
const (
	CKO_PROFILE    = 0x9
	CKO_VALIDATION = 0xA
	CKO_TRUST      = 0xB

	CKA_UNIQUE_ID  = 0x4
	CKA_PROFILE_ID = 0x601

	CKP_BASELINE_PROVIDER         = 0x1
	CKP_EXTENDED_PROVIDER         = 0x2
	CKP_PUBLIC_CERTIFICATES_TOKEN = 0x4
	CKP_COMPLETE_PROVIDER         = 0x5

	CKK_EC_EDWARDS    = 0x40
	CKK_EC_MONTGOMERY = 0x41

	CKM_EC_EDWARDS_KEY_PAIR_GEN    = 0x1055
	CKM_EC_MONTGOMERY_KEY_PAIR_GEN = 0x1056
	CKM_EDDSA                      = 0x1057
	CKM_AES_KEY_WRAP_PKCS7         = 0x210c
	CKF_HKDF_SALT_DATA             = 0x2
	CKA_PARAMETER_SET              = 0x61d
	CKA_SEED                       = 0x637
	CKA_TRUST_SERVER_AUTH          = 0x62c
	CKT_TRUST_ANCHOR               = 0x2
	CKK_CHACHA20                   = 0x33
	CKK_HKDF                       = 0x42
	CKK_ML_KEM                     = 0x49
	CKK_ML_DSA                     = 0x4a
	CKM_ML_DSA_KEY_PAIR_GEN        = 0x1c
	CKM_ML_KEM_KEY_PAIR_GEN        = 0xf
	CKM_ML_KEM                     = 0x17
	CKM_SHA_1_KEY_GEN              = 0x4003
	CKM_SHA224_KEY_GEN             = 0x4004
	CKM_SHA256_KEY_GEN             = 0x4005
	CKM_SHA384_KEY_GEN             = 0x4006
	CKM_SHA512_KEY_GEN             = 0x4007
	CKM_SHA512_224_KEY_GEN         = 0x4008
	CKM_SHA512_256_KEY_GEN         = 0x4009
	CKM_SHA3_224_KEY_GEN           = 0x2b8
	CKM_SHA3_256_KEY_GEN           = 0x2b3
	CKM_SHA3_384_KEY_GEN           = 0x2c3
	CKM_SHA3_512_KEY_GEN           = 0x2d3
	CKM_HKDF_KEY_GEN               = 0x402c
	CKM_HKDF_DERIVE                = 0x402a
	CKM_HKDF_DATA                  = 0x402b

	CKR_ACTION_PROHIBITED   pkcs11.Error = 0x1B
	CKR_CURVE_NOT_SUPPORTED pkcs11.Error = 0x140
)

// Attributes of this module.
const (
	CKA_ZK_SLOT         = pkcs11.CKA_VENDOR_DEFINED + 0x5A4B01
	CKA_ZK_FOREIGN      = pkcs11.CKA_VENDOR_DEFINED + 0x5A4B02
	CKA_ZK_WALLET       = pkcs11.CKA_VENDOR_DEFINED + 0x5A4B03
	CKA_ZK_NODE_ADDRESS = pkcs11.CKA_VENDOR_DEFINED + 0x5A4B04
)

// CKM_ZK_LOCK is the mechanism of this module.
const CKM_ZK_LOCK = pkcs11.CKM_VENDOR_DEFINED + 0x5A4B01

// CKA_EC_PARAMS of the curves that the token has, as OIDs in DER.
var (
	P256      = []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}
	Secp256k1 = []byte{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a}
	P224      = []byte{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x21}
	P384      = []byte{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22}
	P521      = []byte{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23}
	Ed25519   = []byte{0x06, 0x03, 0x2b, 0x65, 0x70}
	X25519    = []byte{0x06, 0x03, 0x2b, 0x65, 0x6e}
)
