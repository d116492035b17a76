// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestChildFindsForeignKey: a child has the foreign key whose handle its parent has found,
// although it has searched for none.
func TestChildFindsForeignKey(t *testing.T) {
	p := newParent(t)
	h, _ := p.storeForeign(scm.P256, CKA_LABEL, "peer")
	p.child().reads(h, CKA_LABEL, "peer")
	verifying := p.child()
	if err := verifying.VerifyInit(verifying.h, &Mechanism{Type: CKM_ECDSA}, h); err != nil {
		t.Errorf("C_VerifyInit: %v", err)
	}
	p.ok(p.Logout(p.h))
	p.login(CKU_USER)
	p.reads(h, CKA_LABEL, "peer")
}
