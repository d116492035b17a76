// SPDX-License-Identifier: Apache-2.0

package pkcs11

// The values of session objects lie masked in memory, so that no core dump and no forked
// child has them.

// hasSecretValue reports whether the value of an object is for few.
func (o *object) hasSecretValue() bool {
	return o.private() && o.class() != CKO_PUBLIC_KEY || o.hasSecretKey()
}

// hasSecretKey reports whether an object is a private or a secret key.
func (o *object) hasSecretKey() bool {
	return o.class() == CKO_SECRET_KEY || o.class() == CKO_PRIVATE_KEY
}

// valueType is the attribute that holds what is secret of an object with these attributes, if anything is.
func (a attributes) valueType() uint {
	if a.number(CKA_CLASS) == CKO_PRIVATE_KEY {
		return privateKeyInfo
	}
	return CKA_VALUE
}

// conceal takes a value out of a session object that is in nobody's hands yet, and
// overwrites it.
func (t *token) conceal(o *object) {
	typ := o.attrs.valueType()
	value := o.attrs[typ]
	if len(value) == 0 || !o.hasSecretValue() {
		return
	}
	o.hidden, o.apart = t.mask.Hide(value), true
	o.attrs = o.attrs.without(typ)
	clear(value)
}

// unhidden is withValue for a session object.
func (t *token) unhidden(o *object) (*object, error) {
	value := make([]byte, o.hidden.Size())
	if !t.mask.Show(value, o.hidden) {
		return nil, CKR_OBJECT_HANDLE_INVALID // the token has just been closed
	}
	all := *o
	all.apart, all.hidden = false, nil
	all.attrs = o.attrs.withAll(attributes{o.attrs.valueType(): value})
	return &all, nil
}

// findMine returns the session objects with all attributes of a template.
func (t *token) findMine(wanted attributes) []*object {
	open := wanted.withAll(nil)
	for typ := range secretTypes {
		delete(open, typ)
	}
	if len(open) == len(wanted) {
		return t.mine.find(wanted)
	}
	var found []*object
	for _, o := range t.mine.find(open) {
		if matches, err := t.matchesSecrets(o, wanted); err == nil && matches {
			found = append(found, o)
		}
	}
	return found
}
