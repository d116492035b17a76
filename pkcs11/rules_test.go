// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "testing"

// TestRulesAreConsistent checks the tables against themselves.
func TestRulesAreConsistent(t *testing.T) {
	for object, r := range kinds {
		for x, rule := range r {
			name := object + " " + AttributeName(x)
			if AttributeName(x) == "" {
				t.Errorf("%s: 0x%x has no name", object, x)
			}
			if rule.initial != nil && rule.checkForm(rule.initial) != nil {
				t.Errorf("%s: the initial value is not of its kind", name)
			}
			if rule.is&onlyTrue != 0 && rule.is&onlyFalse != 0 || rule.is&modifiable != 0 && rule.is&copyable != 0 {
				t.Errorf("%s: the rules exclude each other", name)
			}
			if rule.is&(onlyTrue|onlyFalse|byOfficer) != 0 && rule.kind != truth {
				t.Errorf("%s: a direction needs a CK_BBOOL", name)
			}
			if rule.is&needCreate != 0 && rule.is&notCreate != 0 || rule.is&needGenerate != 0 && rule.is&notGenerate != 0 {
				t.Errorf("%s: is needed and not allowed", name)
			}
			if rule.is&concealed != 0 && rule.initial != nil {
				t.Errorf("%s: a secret has an initial value", name)
			}
			if all := allRules[x]; all.kind != rule.kind {
				t.Errorf("%s: kind %d here and %d elsewhere: the store needs one", name, rule.kind, all.kind)
			}
		}
	}
}

func TestRulesFor(t *testing.T) {
	for _, c := range []struct {
		class, keyType uint
		code           Error
	}{
		{CKO_DATA, CK_UNAVAILABLE_INFORMATION, CKR_OK},
		{CKO_CERTIFICATE, CK_UNAVAILABLE_INFORMATION, CKR_OK},
		{CKO_SECRET_KEY, CKK_GENERIC_SECRET, CKR_OK},
		{CKO_SECRET_KEY, CKK_AES, CKR_OK},
		{CKO_PUBLIC_KEY, CKK_EC, CKR_OK},
		{CKO_PUBLIC_KEY, CKK_EC_EDWARDS, CKR_OK},
		{CKO_PUBLIC_KEY, CKK_EC_MONTGOMERY, CKR_OK},
		{CKO_PUBLIC_KEY, CKK_RSA, CKR_OK},
		{CKO_PRIVATE_KEY, CKK_EC, CKR_OK},
		{CKO_PRIVATE_KEY, CKK_DSA, CKR_ATTRIBUTE_VALUE_INVALID},
		{CKO_HW_FEATURE, 0, CKR_ATTRIBUTE_VALUE_INVALID},
		{CK_UNAVAILABLE_INFORMATION, CKK_EC, CKR_ATTRIBUTE_VALUE_INVALID},
	} {
		r, err := rulesFor(c.class, c.keyType)
		want(t, "rules", err, c.code)
		if (r != nil) != (c.code == CKR_OK) {
			t.Errorf("class %d, key type %d: %d rules", c.class, c.keyType, len(r))
		}
	}
}

// TestInitial checks that what objects start with satisfies no-one's need by
// accident: nothing that a caller has to give has an initial value.
func TestInitial(t *testing.T) {
	for object, r := range kinds {
		initial := r.initial()
		for x, rule := range r {
			_, there := initial[x]
			if there != (rule.initial != nil) {
				t.Errorf("%s %s: there is %v", object, AttributeName(x), there)
			}
			if there && rule.is&(needCreate|needGenerate) != 0 {
				t.Errorf("%s %s: is needed and has an initial value", object, AttributeName(x))
			}
		}
	}
}

// TestKindsOfAttributes compares the kinds with the data types that the
// specification gives, written down here a second time.
func TestKindsOfAttributes(t *testing.T) {
	wanted := map[uint]kind{
		CKA_START_DATE: date, CKA_END_DATE: date, CKA_ALLOWED_MECHANISMS: numbers,
		CKA_WRAP_TEMPLATE: nested, CKA_UNWRAP_TEMPLATE: nested, CKA_DERIVE_TEMPLATE: nested, CKA_ENCAPSULATE_TEMPLATE: nested, CKA_DECAPSULATE_TEMPLATE: nested,
	}
	for _, x := range []uint{
		CKA_CLASS, CKA_KEY_TYPE, CKA_CERTIFICATE_TYPE, CKA_CERTIFICATE_CATEGORY, CKA_JAVA_MIDP_SECURITY_DOMAIN,
		CKA_NAME_HASH_ALGORITHM, CKA_KEY_GEN_MECHANISM, CKA_VALUE_LEN, CKA_MODULUS_BITS, CKA_ZK_SLOT, CKA_OBJECT_VALIDATION_FLAGS, CKA_PARAMETER_SET,
	} {
		wanted[x] = number
	}
	for _, x := range []uint{
		CKA_TOKEN, CKA_PRIVATE, CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE, CKA_TRUSTED, CKA_DERIVE, CKA_LOCAL,
		CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_SIGN_RECOVER, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP, CKA_UNWRAP,
		CKA_ENCAPSULATE, CKA_DECAPSULATE, CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE,
		CKA_WRAP_WITH_TRUSTED, CKA_ALWAYS_AUTHENTICATE, CKA_ZK_FOREIGN,
	} {
		wanted[x] = truth
	}
	for x, rule := range allRules {
		if rule.kind != wanted[x] { // everything else is a string of bytes
			t.Errorf("%s is of kind %d, want %d", AttributeName(x), rule.kind, wanted[x])
		}
	}
}
