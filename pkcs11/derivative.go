// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"

	"libzk_pkcs11/internal/softkey"
)

// derivative is a key that is about to be derived.
type derivative struct {
	task
	demands uint    // the attribute of the key that says what its derivatives are to be
	other   *object // the second key of a concatenation
}

// baseClass is the class of the keys that a mechanism derives of.
func (m *mechanism) baseClass() uint {
	if m.keys.secret {
		return CKO_SECRET_KEY
	}
	return CKO_PRIVATE_KEY
}

// otherKey is a parameter that names one more key, by its handle.
type otherKey interface {
	handle() (key uint, named bool)
	take(*softkey.Secret)
}

// findOther finds the second key that a parameter names.
func (s *session) findOther(d *derivative) error {
	p, may := d.how.Params.(otherKey)
	if !may {
		return nil
	}
	handle, named := p.handle()
	if !named {
		return nil
	}
	o, err := s.findKey(handle)
	switch {
	case err != nil:
		return err
	case o.class() != CKO_SECRET_KEY:
		return CKR_KEY_TYPE_INCONSISTENT
	case !o.attrs.isTrue(CKA_DERIVE):
		return CKR_KEY_FUNCTION_NOT_PERMITTED
	}
	if err := o.checkAllowed(d.how.Type); err != nil {
		return err
	}
	k, err := secretOf(&task{token: s.token, key: o})
	if err != nil {
		return err
	}
	p.take(k)
	if d.row.inherits {
		d.other = o
	}
	return nil
}

// secretOf returns the value of the key of a task.
func secretOf(t *task) (*softkey.Secret, error) {
	k, err := t.token.softKey(t.key)
	if err != nil {
		return nil, err
	}
	switch k := k.(type) {
	case *softkey.Secret:
		return k, nil
	case *softkey.AES:
		return &k.Secret, nil
	}
	return nil, CKR_KEY_TYPE_INCONSISTENT
}

// parents are the keys that say how hidden the new one is.
func (d *derivative) parents() []*object {
	if d.other == nil {
		return []*object{d.key}
	}
	return []*object{d.key, d.other}
}

// derived checks the template of a derived key: a generic secret, or where keys are sealed a key of AES.
func (s *session) derived(list []Attribute, d *derivative) (attributes, error) {
	list, a, err := s.joinedTemplate(list, d.key, d.demands)
	if err != nil {
		return nil, err
	}
	if d.row.data {
		return s.derivedData(list, a)
	}
	keyType := uint(CKK_GENERIC_SECRET)
	if s.token.sealsKeys() {
		keyType = secretKeys.typeOf(a)
	}
	r, err := rulesFor(CKO_SECRET_KEY, keyType)
	if err != nil {
		return nil, err
	}
	if err := r.checkNew(list, a, deriving, s.token.user()); err != nil {
		return nil, err
	}
	if err := a.checkKind(CKO_SECRET_KEY, keyType); err != nil {
		return nil, err
	}
	if _, given := a[CKA_VALUE_LEN]; given && a.number(CKA_VALUE_LEN) == 0 {
		return nil, refuse(CKR_TEMPLATE_INCONSISTENT, CKA_VALUE_LEN, "is 0")
	}
	if err := d.inherit(a); err != nil {
		return nil, err
	}
	a.addMissing(attributes{CKA_CLASS: encodeULong(CKO_SECRET_KEY), CKA_KEY_TYPE: encodeULong(keyType)})
	a.addMissing(r.initialFor(s.token))
	return a, s.checkWritable(a)
}

// derivedData checks the template of a data object that is derived. How long it is to be says CKA_VALUE_LEN, which it has not.
func (s *session) derivedData(list []Attribute, a attributes) (attributes, error) {
	var own []Attribute
	for _, x := range list {
		switch x.Type {
		case CKA_VALUE:
			return nil, refuse(CKR_ATTRIBUTE_READ_ONLY, CKA_VALUE, "is not for the caller to give")
		case CKA_VALUE_LEN:
		default:
			own = append(own, x)
		}
	}
	if err := dataObject.checkNew(own, a, deriving, s.token.user()); err != nil {
		return nil, err
	}
	if !isAbsentOr(a, CKA_CLASS, CKO_DATA) {
		return nil, refuse(CKR_TEMPLATE_INCONSISTENT, CKA_CLASS, "is not that of what is made")
	}
	a.addMissing(attributes{CKA_CLASS: encodeULong(CKO_DATA)})
	a.addMissing(dataObject.initial())
	return a, s.checkWritable(a)
}

// inherit makes a new key as hidden as those that it is made of, where the mechanism says so.
func (d *derivative) inherit(a attributes) error {
	if !d.row.inherits {
		return nil
	}
	for _, parent := range d.parents() {
		for typ, hidden := range map[uint][]byte{CKA_SENSITIVE: yes, CKA_EXTRACTABLE: no} {
			if parent.attrs.isTrue(typ) != isTrueValue(hidden) {
				continue
			}
			if given, has := a[typ]; has && isTrueValue(given) != isTrueValue(hidden) {
				return refuse(CKR_TEMPLATE_INCONSISTENT, typ, "is not that of the key it is derived of")
			}
			a[typ] = hidden
		}
	}
	return nil
}

// derivedSize is how long a derived key is to be; 0: as the mechanism has it.
func (a attributes) derivedSize() int {
	if _, given := a[CKA_VALUE_LEN]; !given {
		return 0
	}
	return int(min(a.number(CKA_VALUE_LEN), 1<<20))
}

// derivingFailure is the error of a derivation, for which a length that cannot be had is the template's fault.
func derivingFailure(err error) error {
	if errors.Is(err, softkey.ErrKeySize) {
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_VALUE_LEN, "is not from 1 to the length of the secret")
	}
	return err
}

// finish adds what follows from the value of a derived object.
func (d *derivative) finish(a attributes) error {
	if d.row.data {
		delete(a, CKA_VALUE_LEN)
		return nil
	}
	n := len(a[CKA_VALUE])
	if _, given := a[CKA_VALUE_LEN]; a.number(CKA_KEY_TYPE) == CKK_AES && n != 16 && n != 24 && n != 32 {
		if !given {
			return refuse(CKR_TEMPLATE_INCOMPLETE, CKA_VALUE_LEN, "is missing")
		}
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_VALUE_LEN, "is not 16, 24 or 32")
	}
	a[CKA_VALUE_LEN] = encodeULong(uint(n))
	sensitive, inside := a.isTrue(CKA_SENSITIVE), !a.isTrue(CKA_EXTRACTABLE)
	for _, parent := range d.parents() {
		sensitive = sensitive && parent.attrs.isTrue(CKA_ALWAYS_SENSITIVE)
		inside = inside && parent.attrs.isTrue(CKA_NEVER_EXTRACTABLE)
	}
	a[CKA_ALWAYS_SENSITIVE], a[CKA_NEVER_EXTRACTABLE] = encodeBool(sensitive), encodeBool(inside)
	return a.completeCheckValue()
}

// eraseSecret overwrites a derived key, which is kept elsewhere by now. A data object keeps its value as it is.
func (d *derivative) eraseSecret(a attributes) {
	if !d.row.data {
		clear(a[CKA_VALUE])
	}
}
