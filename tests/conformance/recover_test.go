// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness/live"
)

// recover signs with the RSA key so that the message comes back out of the signature, which the binding cannot do: its
// VerifyRecover calls C_DecryptVerifyUpdate. tests/boundary calls C_VerifyRecover.
func (x *trial) recover(m uint) {
	x.t.Helper()
	private, public := x.private[pkcs11.CKK_RSA][0], x.public[pkcs11.CKK_RSA][0]
	for _, message := range messages {
		x.OK(x.SignRecoverInit(x.s, howTo(m), private))
		signature, err := x.SignRecover(x.s, message)
		x.OK(err)
		x.Want("C_Verify", x.verified(howTo(m), public, message, signature), pkcs11.CKR_OK)
	}
	x.Want("C_SignRecoverInit with a key of another type", x.SignRecoverInit(x.s, howTo(m), x.private[live.CKK_EC_EDWARDS][0]),
		pkcs11.CKR_KEY_TYPE_INCONSISTENT)
}
