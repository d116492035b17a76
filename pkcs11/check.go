// SPDX-License-Identifier: Apache-2.0

package pkcs11

// making says which function makes an object: the footnotes that its template
// must obey. derive has no attribute that it must get.
type making struct{ need, not constraint }

var (
	creating     = making{needCreate, notCreate}
	generating   = making{needGenerate, notGenerate}
	deriving     = making{0, notDerive}
	unwrappedNew = making{0, notUnwrap}
)

// checkNew holds the template of a new object against the rules. It goes in the order
// of the caller's list, which a is made of, so that one call has one code whatever
// else is wrong; what is missing comes last. user is who is logged in.
func (r rules) checkNew(list []Attribute, a attributes, m making, user uint) error {
	for _, given := range list {
		v := a[given.Type] // the copy: the caller's memory may change meanwhile
		x, ok := r[given.Type]
		if !ok || x.is&ofKey != 0 && m != creating {
			return refuse(CKR_ATTRIBUTE_TYPE_INVALID, given.Type, "is none of such an object")
		}
		if x.is&m.not != 0 {
			return refuse(CKR_ATTRIBUTE_READ_ONLY, given.Type, "is not for the caller to give")
		}
		if err := x.checkValue(given.Type, v, user); err != nil {
			return err
		}
	}
	for t, x := range r {
		if _, given := a[t]; x.is&m.need != 0 && !given {
			return refuse(CKR_TEMPLATE_INCOMPLETE, t, "is missing")
		}
	}
	return nil
}

// change says which function changes an object.
type change uint8

const (
	changing change = iota // C_SetAttributeValue
	copying                // C_CopyObject
)

// checkChange holds the template of C_SetAttributeValue or of
// C_CopyObject against the rules for an object whose attributes are old. It goes in
// the order of the caller's list, as check does.
func (r rules) checkChange(old attributes, list []Attribute, a attributes, c change, user uint) error {
	for _, given := range list {
		v := a[given.Type]
		x, ok := r[given.Type]
		if !ok {
			return refuse(CKR_ATTRIBUTE_TYPE_INVALID, given.Type, "is none of such an object")
		}
		if err := x.checkValue(given.Type, v, user); err != nil {
			return err
		}
		before := old[given.Type]
		if x.is&ofKey != 0 && string(before) != string(v) {
			return refuse(CKR_ATTRIBUTE_VALUE_INVALID, given.Type, "is of another key")
		}
		if !x.mayChange(before, v, c) {
			return refuse(CKR_ATTRIBUTE_READ_ONLY, given.Type, "cannot be changed, nor named in a change")
		}
	}
	return nil
}

// checkValue returns an error unless the user may give an attribute the value v, in whatever
// object: it has the right form, and only the SO vouches for an object.
func (x rule) checkValue(t uint, v []byte, user uint) error {
	if err := x.checkForm(v); err != nil {
		return because(err, t, "has a value of the wrong form")
	}
	if x.is&byOfficer != 0 && user != CKU_SO && isTrueValue(v) {
		return refuse(CKR_ATTRIBUTE_READ_ONLY, t, "is for the SO to make true")
	}
	return nil
}

// mayChange reports whether a change may name an attribute, which has the value old, with
// the value v. What is read-only it may not name with the value that it has, either
// (section 4.1.1); what may be changed in one direction is read-only once it is.
func (x rule) mayChange(old, v []byte, c change) bool {
	switch {
	case x.is&onlyTrue != 0 && isTrueValue(old), x.is&onlyFalse != 0 && !isTrueValue(old):
		return false
	case x.is&byOfficer != 0, x.is&ofKey != 0:
		return true
	case x.is&copyable != 0:
		return c == copying
	case x.is&erasable != 0:
		return len(v) == 0 || string(v) == string(old) // a check value that is right may be named always
	}
	return x.is&modifiable != 0
}

// checkForm checks the form of a value.
func (x rule) checkForm(v []byte) error {
	ok := true
	switch x.kind {
	case truth:
		ok = len(v) == 1 && v[0] <= CK_TRUE
	case number:
		n, whole := decodeULong(v)
		ok = whole && (n <= 3 || x.is&oneOfFour == 0)
	case numbers:
		ok = len(v)%ulongSize == 0
	case nested:
		_, err := DecodeTemplate(v)
		ok = err == nil
	case date:
		ok = len(v) == 0 || validDate(v)
	}
	if !ok {
		return CKR_ATTRIBUTE_VALUE_INVALID
	}
	return nil
}

// validDate reports whether v is a CK_DATE: eight digits, year (from 1900), month, day.
func validDate(v []byte) bool {
	if len(v) != 8 {
		return false
	}
	for _, c := range v {
		if c < '0' || c > '9' {
			return false
		}
	}
	month, day := int(v[4]-'0')*10+int(v[5]-'0'), int(v[6]-'0')*10+int(v[7]-'0')
	return string(v[:4]) >= "1900" && month >= 1 && month <= 12 && day >= 1 && day <= 31
}
