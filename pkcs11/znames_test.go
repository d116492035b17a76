// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "testing"

func TestNames(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{errorName(CKR_OK), "CKR_OK"},
		{errorName(CKR_PARAMETER_SET_NOT_SUPPORTED), "CKR_PARAMETER_SET_NOT_SUPPORTED"},
		{errorName(0x04), ""},
		{attributeName(CKA_CLASS), "CKA_CLASS"},
		{attributeName(CKA_ECDSA_PARAMS), "CKA_EC_PARAMS"},
		{attributeName(CKA_SUB_PRIME_BITS), "CKA_SUBPRIME_BITS"},
		{attributeName(CKA_WRAP_TEMPLATE), "CKA_WRAP_TEMPLATE"},
		{attributeName(CKA_ZK_SLOT), "CKA_ZK_SLOT"},
		{attributeName(CK_UNAVAILABLE_INFORMATION), ""},
		{mechanismName(CKM_ECDSA_KEY_PAIR_GEN), "CKM_EC_KEY_PAIR_GEN"},
		{mechanismName(CKM_EDDSA), "CKM_EDDSA"},
		{mechanismName(CKM_ZK_LOCK), "CKM_ZK_LOCK"},
		{mechanismName(CKM_VENDOR_DEFINED + 1), ""},
	} {
		if c.got != c.want {
			t.Errorf("name %q, want %q", c.got, c.want)
		}
	}
}
