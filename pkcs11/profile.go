// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"fmt"
	"slices"

	"libzk_pkcs11/internal/store"
)

// profileRules are the attributes of profile objects (section 4.14), which nobody makes,
// changes or destroys.
var profileRules = merge(storageRules, rules{CKA_PROFILE_ID: {number, ours, nil}})

// profile returns the object that says that the token implements a profile. Its record
// number, like that of the clock, stands for none in the store.
func (t *token) profile(id uint, name string) *object {
	return t.handled(&object{id: identity{record: clockRecord - int64(id)}, rules: profileRules, attrs: attributes{
		CKA_CLASS: ulong(CKO_PROFILE), CKA_PROFILE_ID: ulong(id), CKA_LABEL: []byte(name),
		CKA_UNIQUE_ID: fmt.Appendf(nil, "profile-%d", id), CKA_TOKEN: yes, CKA_PRIVATE: no,
		CKA_MODIFIABLE: no, CKA_COPYABLE: no, CKA_DESTROYABLE: no,
	}})
}

// profiles are the objects of the profiles that a token with these records implements
// (PKCS#11 Profiles 3.2, section 5). Authentication Token is not one of them: its test
// wants RSA. Public Certificates Token is, unless the user may have a certificate that
// others cannot see.
func (t *token) profiles(records []store.Record) []*object {
	list := []*object{
		t.profile(CKP_BASELINE_PROVIDER, "Baseline Provider"),
		t.profile(CKP_EXTENDED_PROVIDER, "Extended Provider"),
	}
	if !slices.ContainsFunc(records, mayHideCertificate) {
		list = append(list, t.profile(CKP_PUBLIC_CERTIFICATES_TOKEN, "Public Certificates Token"))
	}
	return list
}

// mayHideCertificate tells whether a record is of a private certificate, or of an object
// of which nobody can tell before login.
func mayHideCertificate(r store.Record) bool {
	if !r.Sealed || r.Slot != store.NoSlot {
		return false
	}
	return r.Attributes == nil || fromStore(r.Attributes).number(CKA_CLASS) == CKO_CERTIFICATE
}

// reconsider has the token objects read anew after an object has come or gone, if it
// counts for a profile.
func (c *catalog) reconsider(o *object) {
	if o.class() == CKO_CERTIFICATE && o.private() {
		c.known = false
	}
}
