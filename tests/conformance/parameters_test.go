// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/binary"
	"reflect"
	"runtime"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness/live"
)

// wholeBlocks are the mechanisms that encrypt nothing but whole blocks.
var wholeBlocks = map[uint]bool{pkcs11.CKM_AES_ECB: true, pkcs11.CKM_AES_CBC: true, pkcs11.CKM_AES_KEY_WRAP: true}

// takesLength reports whether a mechanism encrypts messages of n bytes. Key wrapping needs two semiblocks after a padding, too.
func takesLength(m uint, n int) bool {
	if m == live.CKM_AES_KEY_WRAP_PKCS7 {
		return n >= 8
	}
	return !wholeBlocks[m] || n%16 == 0
}

// agreements are the mechanisms that derive a key of two key pairs.
var agreements = map[uint]bool{pkcs11.CKM_ECDH1_DERIVE: true, pkcs11.CKM_ECDH1_COFACTOR_DERIVE: true}

// signsByPSS maps the mechanisms of PSS to the hash and its mask. For those of SHA-3 the client has no names.
var signsByPSS = map[uint][2]uint{
	pkcs11.CKM_RSA_PKCS_PSS:          {pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256},
	pkcs11.CKM_SHA1_RSA_PKCS_PSS:     {pkcs11.CKM_SHA_1, pkcs11.CKG_MGF1_SHA1},
	pkcs11.CKM_SHA224_RSA_PKCS_PSS:   {pkcs11.CKM_SHA224, pkcs11.CKG_MGF1_SHA224},
	pkcs11.CKM_SHA256_RSA_PKCS_PSS:   {pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256},
	pkcs11.CKM_SHA384_RSA_PKCS_PSS:   {pkcs11.CKM_SHA384, pkcs11.CKG_MGF1_SHA384},
	pkcs11.CKM_SHA512_RSA_PKCS_PSS:   {pkcs11.CKM_SHA512, pkcs11.CKG_MGF1_SHA512},
	pkcs11.CKM_SHA3_224_RSA_PKCS_PSS: {pkcs11.CKM_SHA3_224, 6},
	pkcs11.CKM_SHA3_256_RSA_PKCS_PSS: {pkcs11.CKM_SHA3_256, 7},
	pkcs11.CKM_SHA3_384_RSA_PKCS_PSS: {pkcs11.CKM_SHA3_384, 8},
	pkcs11.CKM_SHA3_512_RSA_PKCS_PSS: {pkcs11.CKM_SHA3_512, 9},
}

// macsOfLength are the mechanisms whose parameter is the length of a code.
var macsOfLength = map[uint]bool{
	pkcs11.CKM_AES_CMAC_GENERAL: true, pkcs11.CKM_SHA_1_HMAC_GENERAL: true,
	pkcs11.CKM_SHA224_HMAC_GENERAL: true, pkcs11.CKM_SHA256_HMAC_GENERAL: true, pkcs11.CKM_SHA384_HMAC_GENERAL: true, pkcs11.CKM_SHA512_HMAC_GENERAL: true,
	pkcs11.CKM_SHA512_224_HMAC_GENERAL: true, pkcs11.CKM_SHA512_256_HMAC_GENERAL: true, pkcs11.CKM_SHA3_224_HMAC_GENERAL: true,
	pkcs11.CKM_SHA3_256_HMAC_GENERAL: true, pkcs11.CKM_SHA3_384_HMAC_GENERAL: true, pkcs11.CKM_SHA3_512_HMAC_GENERAL: true,
}

// howTo is a mechanism with the parameter that it needs.
func howTo(m uint) []*pkcs11.Mechanism {
	var parameter any
	switch {
	case signsByPSS[m][0] != 0:
		parameter = pkcs11.NewPSSParams(signsByPSS[m][0], signsByPSS[m][1], 20)
	case macsOfLength[m]:
		parameter = numbers(8)
	case m == pkcs11.CKM_RSA_PKCS_OAEP:
		parameter = pkcs11.NewOAEPParams(pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256, pkcs11.CKZ_DATA_SPECIFIED, []byte("label"))
	case m == pkcs11.CKM_AES_CBC, m == pkcs11.CKM_AES_CBC_PAD:
		parameter = make([]byte, 16)
	case m == pkcs11.CKM_EXTRACT_KEY_FROM_KEY:
		parameter = numbers(8)
	case m == pkcs11.CKM_AES_CTR:
		parameter = append(numbers(64), make([]byte, 16)...)
	case m == pkcs11.CKM_AES_GCM:
		parameter = pkcs11.NewGCMParams(make([]byte, 12), []byte("besides"), 128)
	default:
		return live.Mechanism(m)
	}
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(m, parameter)}
}

// numbers are CK_ULONGs in memory.
func numbers(list ...uint) (b []byte) {
	for _, n := range list {
		b = binary.NativeEndian.AppendUint64(b, uint64(n))
	}
	return b
}

// howToPoint is howTo for mechanisms whose parameter has pointers in it, or the handle of a key. What it points to stays where
// it is until the release.
func (x *trial) howToPoint(m uint) (how []*pkcs11.Mechanism, release func()) {
	var pins runtime.Pinner
	at := func(text string) uint {
		b := []byte(text)
		pins.Pin(&b[0])
		return uint(reflect.ValueOf(b).Pointer())
	}
	var parameter []byte
	switch m {
	case live.CKM_HKDF_DERIVE, live.CKM_HKDF_DATA:
		both := make([]byte, 8)
		both[0], both[1] = 1, 1 // extract, expand
		parameter = append(both, numbers(pkcs11.CKM_SHA256, live.CKF_HKDF_SALT_DATA, at("salt"), 4, 0, at("info"), 4)...)
	case pkcs11.CKM_RSA_AES_KEY_WRAP:
		parameter = numbers(256, at(string(numbers(pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256, pkcs11.CKZ_DATA_SPECIFIED, 0, 0))))
	case pkcs11.CKM_AES_CBC_ENCRYPT_DATA:
		parameter = append(make([]byte, 16), numbers(at("0123456789abcdef"), 16)...)
	case pkcs11.CKM_CONCATENATE_BASE_AND_DATA, pkcs11.CKM_CONCATENATE_DATA_AND_BASE, pkcs11.CKM_XOR_BASE_AND_DATA, pkcs11.CKM_AES_ECB_ENCRYPT_DATA:
		parameter = numbers(at("0123456789abcdef"), 16)
	case pkcs11.CKM_CONCATENATE_BASE_AND_KEY:
		parameter = numbers(uint(x.private[pkcs11.CKK_AES][0]))
	case pkcs11.CKM_PKCS5_PBKD2:
		parameter = numbers(pkcs11.CKZ_SALT_SPECIFIED, at("salt"), 4, 10, pkcs11.CKP_PKCS5_PBKD2_HMAC_SHA256, 0, 0, at("password"), 8)
	default:
		return howTo(m), pins.Unpin
	}
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(m, parameter)}, pins.Unpin
}
