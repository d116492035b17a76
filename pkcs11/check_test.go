// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"strings"
	"testing"
)

// TestValidEnumeration has the values of the enumerations of certificates.
func TestValidEnumeration(t *testing.T) {
	for n := range uint(6) {
		x := rule{kind: number, is: oneOfFour}
		if err := x.checkForm(encodeULong(n)); (err == nil) != (n <= CK_CERTIFICATE_CATEGORY_OTHER_ENTITY) {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func TestValidForms(t *testing.T) {
	for _, c := range []struct {
		kind  kind
		value string
		ok    bool
	}{
		{octets, "", true}, {octets, "anything", true},
		{truth, "\x00", true}, {truth, "\x01", true}, {truth, "\x02", false}, {truth, "", false}, {truth, "\x00\x00", false},
		{number, string(encodeULong(5)), true}, {number, "", false}, {number, "\x05", false}, {number, string(encodeULong(5)) + "\x00", false},
		{numbers, "", true}, {numbers, string(encodeULong(5)), true}, {numbers, strings.Repeat(string(encodeULong(5)), 3), true},
		{numbers, string(encodeULong(5)) + "\x00", false},
		{nested, "", true}, {nested, string(EncodeTemplate(is(CKA_ID, "x"))), true}, {nested, "x", false},
		{nested, string(EncodeTemplate(is(CKA_ID, "x"))[:16]), false},
		{date, "", true}, {date, "20260131", true}, {date, "20261231", true}, {date, "19000101", true}, {date, "18991231", false}, {date, "20261301", false}, {date, "20260001", false},
		{date, "20260132", false}, {date, "20260100", false}, {date, "2026013", false}, {date, "2026013x", false}, {date, "202601310", false},
	} {
		if err := (rule{kind: c.kind}).checkForm([]byte(c.value)); (err == nil) != c.ok || err != nil && err != CKR_ATTRIBUTE_VALUE_INVALID {
			t.Errorf("kind %d, value %q: %v", c.kind, c.value, err)
		}
	}
}

// TestCheckEveryRule goes through every attribute of every kind of object and
// every function that makes one, and expects what the footnotes say.
func TestCheckEveryRule(t *testing.T) {
	for object, r := range kinds {
		for function, m := range map[string]making{"create": creating, "generate": generating, "derive": deriving} {
			base := attributes{}
			for x, rule := range r {
				if rule.is&m.need != 0 {
					base[x] = rule.sample(false)
				}
			}
			for x, rule := range r {
				name := object + " " + function + " " + AttributeName(x)
				want(t, name, r.checkAll(base.withAll(attributes{x: rule.sample(false)}), m, CKU_USER), rule.refusal(m))
				if rule.is&m.need != 0 {
					without := base.withAll(nil)
					delete(without, x)
					want(t, name+" missing", r.checkAll(without, m, CKU_USER), CKR_TEMPLATE_INCOMPLETE)
				}
				if rule.is&byOfficer != 0 {
					trusted := base.withAll(attributes{x: yes})
					want(t, name+" by the user", r.checkAll(trusted, m, CKU_USER), CKR_ATTRIBUTE_READ_ONLY)
					want(t, name+" by the SO", r.checkAll(trusted, m, CKU_SO), CKR_OK)
				}
			}
			want(t, object+" "+function+" unknown attribute",
				r.checkAll(base.withAll(attributes{CKA_VENDOR_DEFINED: {1}}), m, CKU_USER), CKR_ATTRIBUTE_TYPE_INVALID)
		}
	}
}

// checkAll is check of a template of which the order does not matter.
func (r rules) checkAll(a attributes, m making, user uint) error {
	return codeOf(r.checkNew(listed(a), a, m, user))
}

// changeAll is checkChange likewise.
func (r rules) changeAll(old, a attributes, c change, user uint) error {
	return codeOf(r.checkChange(old, listed(a), a, c, user))
}

// listed is a template with these attributes, in any order.
func listed(a attributes) []Attribute {
	var list []Attribute
	for t, v := range a {
		list = append(list, Attribute{t, v})
	}
	return list
}

// kinds are all kinds of objects.
var kinds = map[string]rules{
	"data": dataObject, "certificate": certificateObject, "secret key": secretObject,
	"public key": ecPublicObject, "private key": ecPrivateObject,
}

func (x rule) refusal(m making) Error {
	switch {
	case x.is&ofKey != 0 && m != creating:
		return CKR_ATTRIBUTE_TYPE_INVALID
	case x.is&m.not != 0:
		return CKR_ATTRIBUTE_READ_ONLY
	}
	return CKR_OK
}

// sample is a value of the right form; other asks for a second one.
func (x rule) sample(other bool) []byte {
	switch x.kind {
	case truth:
		return encodeBool(other)
	case number, numbers:
		return map[bool][]byte{false: encodeULong(1), true: encodeULong(2)}[other]
	case nested:
		return EncodeTemplate(is(CKA_LABEL, map[bool]string{false: "one", true: "two"}[other]))
	case date:
		return map[bool][]byte{false: []byte("20260101"), true: []byte("20270101")}[other]
	}
	return map[bool][]byte{false: []byte("one"), true: []byte("two")}[other]
}

// TestChangeEveryRule does the same for C_SetAttributeValue and C_CopyObject.
func TestChangeEveryRule(t *testing.T) {
	for object, r := range kinds {
		for x, rule := range r {
			for _, c := range []change{changing, copying} {
				name := object + " " + AttributeName(x)
				old, change := attributes{x: rule.sample(false)}, attributes{x: rule.sample(true)}
				wanted := Error(CKR_ATTRIBUTE_READ_ONLY)
				if rule.is&(ofKey|erasable) != 0 || rule.changeable(c) {
					wanted = CKR_OK
				}
				want(t, name+" to what it is", r.changeAll(old, old, c, CKU_USER), wanted)
				wanted = CKR_ATTRIBUTE_READ_ONLY
				switch {
				case rule.is&ofKey != 0:
					wanted = CKR_ATTRIBUTE_VALUE_INVALID
				case rule.changeable(c) && rule.is&byOfficer == 0:
					wanted = CKR_OK
				}
				want(t, name+" to another value", r.changeAll(old, change, c, CKU_USER), wanted)
			}
		}
	}
}

// changeable reports whether an attribute whose first sample, false, it has may change.
func (x rule) changeable(c change) bool {
	return x.is&onlyFalse == 0 && (x.is&(modifiable|byOfficer) != 0 || c == copying && x.is&copyable != 0)
}

// TestChangeOneWay has the attributes that may change in one direction only.
func TestChangeOneWay(t *testing.T) {
	for _, c := range []struct {
		rules     rules
		attribute uint
		from, to  []byte
		user      uint
		code      Error
	}{
		{ecPrivateObject, CKA_SENSITIVE, no, yes, CKU_USER, CKR_OK},
		{ecPrivateObject, CKA_SENSITIVE, yes, no, CKU_USER, CKR_ATTRIBUTE_READ_ONLY},
		{ecPrivateObject, CKA_SENSITIVE, yes, yes, CKU_USER, CKR_ATTRIBUTE_READ_ONLY},
		{ecPrivateObject, CKA_SENSITIVE, no, no, CKU_USER, CKR_OK},
		{ecPrivateObject, CKA_EXTRACTABLE, yes, no, CKU_USER, CKR_OK},
		{ecPrivateObject, CKA_EXTRACTABLE, yes, yes, CKU_USER, CKR_OK},
		{ecPrivateObject, CKA_EXTRACTABLE, no, no, CKU_USER, CKR_ATTRIBUTE_READ_ONLY},
		{ecPrivateObject, CKA_EXTRACTABLE, no, yes, CKU_USER, CKR_ATTRIBUTE_READ_ONLY},
		{ecPrivateObject, CKA_WRAP_WITH_TRUSTED, no, yes, CKU_USER, CKR_OK},
		{ecPrivateObject, CKA_WRAP_WITH_TRUSTED, yes, no, CKU_USER, CKR_ATTRIBUTE_READ_ONLY},
		{dataObject, CKA_COPYABLE, yes, no, CKU_USER, CKR_OK},
		{dataObject, CKA_COPYABLE, no, yes, CKU_USER, CKR_ATTRIBUTE_READ_ONLY},
		{certificateObject, CKA_TRUSTED, no, yes, CKU_USER, CKR_ATTRIBUTE_READ_ONLY},
		{certificateObject, CKA_TRUSTED, no, yes, CKU_SO, CKR_OK},
		{certificateObject, CKA_TRUSTED, yes, no, CKU_USER, CKR_OK},
		{dataObject, CKA_PRIVATE, no, yes, CKU_USER, CKR_ATTRIBUTE_READ_ONLY},
		{dataObject, CKA_LABEL, nil, []byte("x"), CKU_USER, CKR_OK},
		{dataObject, CKA_LABEL, []byte("x"), []byte{}, CKU_USER, CKR_OK},
		{secretObject, CKA_CHECK_VALUE, []byte("abc"), []byte{}, CKU_USER, CKR_OK},
		{secretObject, CKA_CHECK_VALUE, []byte("abc"), []byte("abc"), CKU_USER, CKR_OK},
		{secretObject, CKA_CHECK_VALUE, []byte{}, []byte("abc"), CKU_USER, CKR_ATTRIBUTE_READ_ONLY},
		{certificateObject, CKA_CHECK_VALUE, []byte("abc"), []byte{}, CKU_USER, CKR_ATTRIBUTE_READ_ONLY},
		{dataObject, CKA_MODIFIABLE, yes, []byte{2}, CKU_USER, CKR_ATTRIBUTE_VALUE_INVALID},
		{dataObject, CKA_SENSITIVE, nil, yes, CKU_USER, CKR_ATTRIBUTE_TYPE_INVALID},
	} {
		change := attributes{c.attribute: c.to}
		err := c.rules.changeAll(attributes{c.attribute: c.from}, change, changing, c.user)
		want(t, AttributeName(c.attribute), err, c.code)
	}
}
