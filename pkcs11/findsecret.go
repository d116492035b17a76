// SPDX-License-Identifier: Apache-2.0

package pkcs11

// A search may name what is secret of an object, and finds it where that is shown. No index knows it: objects that have all the rest
// are looked at one by one.

// secretTypes are the attributes that are secret of some kind of object, with those of data objects that are private.
var secretTypes = typesOfSecrets()

func typesOfSecrets() map[uint]bool {
	all := map[uint]bool{CKA_VALUE: true}
	for typ, x := range allRules {
		if x.is&concealed != 0 {
			all[typ] = true
		}
	}
	return all
}

// eraseSecrets overwrites what is secret in a template.
func (a attributes) eraseSecrets() {
	for typ := range secretTypes {
		clear(a[typ])
	}
}

// withoutSecrets returns the part of a template that is not about what the object shows and does not have among its attributes: its
// value, if that is apart, or the numbers of a private key.
func (o *object) withoutSecrets(wanted attributes) attributes {
	numbers := o.isSealed() && o.class() == CKO_PRIVATE_KEY
	if !numbers && !o.apart {
		return wanted
	}
	open := make(attributes, len(wanted))
	for typ, v := range wanted {
		shown := numbers && o.rules[typ].is&concealed != 0 || o.apart && !numbers && typ == CKA_VALUE
		if !shown || o.hidesAttribute(typ) {
			open[typ] = v
		}
	}
	return open
}

// matchesSecrets reports whether an object fits a template, as matches does, where that may name something secret.
func (t *token) matchesSecrets(o *object, wanted attributes) (bool, error) {
	open := o.withoutSecrets(wanted)
	if len(open) == len(wanted) || !o.matches(open) {
		return o.matches(wanted), nil
	}
	all, err := t.withSecrets(o)
	defer o.eraseShown(all)
	return err == nil && all.matches(wanted), err
}

// withSecrets returns an object with all that is secret of it, which the caller overwrites by eraseShown.
func (t *token) withSecrets(o *object) (*object, error) {
	if o.class() == CKO_PRIVATE_KEY {
		return t.withAllNumbers(o)
	}
	return t.withValue(o)
}
