// SPDX-License-Identifier: Apache-2.0

// Package vectors verifies published signatures through the C interface, with
// public keys that are brought in.
package vectors

import (
	"encoding/hex"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness/live"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The public key and the signatures with SHA-256 of RFC 6979, A.2.5.
const rfc6979Key = "04" +
	"60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6" +
	"7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"

var rfc6979 = []struct{ message, signature string }{
	{"sample", "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716" +
		"F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"},
	{"test", "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367" +
		"019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"},
}

func TestRFC6979(t *testing.T) {
	k := live.New(t)
	s := k.Public()
	key, err := k.CreateObject(s, live.PublicKey(pkcs11.CKK_EC, live.P256, unhex(t, rfc6979Key)))
	k.OK(err)
	for _, v := range rfc6979 {
		signature := unhex(t, v.signature)
		k.Want(v.message, k.Verified(s, pkcs11.CKM_ECDSA_SHA256, key, []byte(v.message), signature), pkcs11.CKR_OK)
		k.Want(v.message+", longer", k.Verified(s, pkcs11.CKM_ECDSA_SHA256, key, []byte(v.message+"x"), signature), pkcs11.CKR_SIGNATURE_INVALID)
		signature[63] ^= 1
		k.Want(v.message+", s changed", k.Verified(s, pkcs11.CKM_ECDSA_SHA256, key, []byte(v.message), signature), pkcs11.CKR_SIGNATURE_INVALID)
	}
}
