// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"fmt"
)

// profileRules are the attributes of profile objects (section 4.14), which nobody makes,
// changes or destroys.
var profileRules = mergeRules(storageRules, rules{CKA_PROFILE_ID: {number, ours, nil}})

// profileObject returns the object that says that the token implements a profile. Its record
// number, like that of the clock, stands for none in the store.
func (t *token) profileObject(id uint, name string) *object {
	o := &object{id: identity{record: clockRecord - int64(id)}, rules: profileRules, attrs: attributes{
		CKA_CLASS: encodeULong(CKO_PROFILE), CKA_PROFILE_ID: encodeULong(id), CKA_LABEL: []byte(name),
		CKA_UNIQUE_ID: fmt.Appendf(nil, "profile-%d", id), CKA_TOKEN: yes, CKA_PRIVATE: no,
		CKA_MODIFIABLE: no, CKA_COPYABLE: no, CKA_DESTROYABLE: no,
	}}
	o.handle = t.slotHandle(o)
	return o
}

// profileObjects are the objects of the profiles that the token implements (PKCS#11 Profiles
// 3.2, section 5). Authentication Token is not one of them: its test wants RSA.
func (t *token) profileObjects() []*object {
	return []*object{
		t.profileObject(CKP_BASELINE_PROVIDER, "Baseline Provider"),
		t.profileObject(CKP_EXTENDED_PROVIDER, "Extended Provider"),
		t.profileObject(CKP_PUBLIC_CERTIFICATES_TOKEN, "Public Certificates Token"),
	}
}

// publicCertificates reports whether an object is that of the profile Public Certificates
// Token, which a token implements unless the user may have a certificate that others
// cannot see. So it is looked at anew whenever it is found.
func (o *object) publicCertificates() bool {
	return o.class() == CKO_PROFILE && o.attrs.number(CKA_PROFILE_ID) == CKP_PUBLIC_CERTIFICATES_TOKEN
}

// hidesCertificates reports whether there may be a private certificate. Before login nobody
// can tell what a sealed record is of.
func (t *token) hidesCertificates() (bool, error) {
	if t.user() == CKU_USER {
		return t.store.Sealed(termsOf(attributes{CKA_CLASS: encodeULong(CKO_CERTIFICATE)}))
	}
	return t.store.Sealed(nil)
}
