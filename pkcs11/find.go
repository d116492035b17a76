// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/scm"

// search is a search for objects that is under way: what it found and has not
// given to the caller yet.
type search struct{ found []uint }

// FindObjectsInit starts a search for the objects that have all attributes of a
// template (section 5.7.7).
func (p *Provider) FindObjectsInit(h uint, list []Attribute) error {
	return p.in(h, func(s *session) error {
		if err := s.find.idle(); err != nil {
			return err
		}
		wanted, err := template(list)
		if err != nil { // two values of one attribute, for which the function has no code
			return s.find.begin(&search{})
		}
		quirks := p.quirks(wanted)
		return s.token.look(func(c *catalog) error {
			found := c.find(wanted, func(o *object) bool { return s.readable(o) && !quirks.hide(o, wanted) })
			return s.find.begin(&search{found})
		})
	})
}

// FindObjects gives the caller the next objects of a search (section 5.7.8) and
// returns how many.
func (p *Provider) FindObjects(h uint, handles []uint) (int, error) {
	n := 0
	err := p.in(h, func(s *session) error {
		if s.find.work == nil {
			return CKR_OPERATION_NOT_INITIALIZED
		}
		n = copy(handles, s.find.work.found)
		s.find.work.found = s.find.work.found[n:]
		return nil
	})
	return n, err
}

// FindObjectsFinal ends a search (section 5.7.9).
func (p *Provider) FindObjectsFinal(h uint) error {
	return p.in(h, func(s *session) error {
		if s.find.work == nil {
			return CKR_OPERATION_NOT_INITIALIZED
		}
		s.find.end()
		return nil
	})
}

// quirks asks for the defects to spare the host, if the search is one that they
// touch: only one by class can be.
func (p *Provider) quirks(wanted attributes) Quirks {
	if p.options.Quirks == nil || wanted[CKA_CLASS] == nil && len(wanted) > 0 {
		return Quirks{}
	}
	return p.options.Quirks()
}

// hide tells whether the host is better off without an object that its search
// would find.
func (q Quirks) hide(o *object, wanted attributes) bool {
	return q.HideOtherKeyTypes && len(wanted) == 1 && o.otherKeyType() ||
		q.HideUnknownCurves && o.verify != nil && o.verify.curve.curve == scm.Secp256k1
}

// otherKeyType tells whether o is half of a key pair that is neither RSA nor EC.
func (o *object) otherKeyType() bool {
	c := o.class()
	return (c == CKO_PUBLIC_KEY || c == CKO_PRIVATE_KEY) && o.keyType() != CKK_EC && o.keyType() != CKK_RSA
}

// KeysInSlot lists the objects of a key slot that the session may see: what a
// search for CKA_ZK_SLOT finds without foreign keys.
func (p *Provider) KeysInSlot(h uint, keySlot int) ([]uint, error) {
	var found []uint
	err := p.in(h, func(s *session) error {
		return s.token.look(func(c *catalog) error {
			found = c.find(attributes{CKA_ZK_SLOT: ulong(uint(keySlot))}, func(o *object) bool {
				return s.readable(o) && !o.foreign()
			})
			return nil
		})
	})
	return found, err
}
