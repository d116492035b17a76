// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"

	"libzk_pkcs11/internal/scm"
)

// GenerateKeyPair makes a key pair in the device (section 5.18.2): one with
// CKA_TOKEN in the lowest free user key slot, or in the one that CKA_ZK_SLOT
// asks for; one without in the device's volatile memory.
func (p *Provider) GenerateKeyPair(h uint, m *Mechanism, public, private []Attribute) (publicKey, privateKey uint, err error) {
	s, err := p.session(h)
	if err != nil {
		return 0, 0, err
	}
	defer s.done(&err)
	if m == nil {
		return 0, 0, CKR_ARGUMENTS_BAD
	}
	row, err := mechanismFor(m, CKF_GENERATE_KEY_PAIR)
	if err != nil {
		return 0, 0, err
	}
	r, err := s.pairRequest(row.keyType, public, private)
	if err != nil {
		return 0, 0, err
	}
	handles, err := s.generate(r)
	return handles[0], handles[1], err
}

// pairRequest is what a caller wants of a new key pair: the attributes of both
// halves, public first.
type pairRequest struct {
	curve *curve
	half  [2]attributes
}

// pairRequest checks the two templates of C_GenerateKeyPair.
func (s *session) pairRequest(keyType uint, public, private []Attribute) (*pairRequest, error) {
	r := &pairRequest{}
	for i, list := range [][]Attribute{public, private} {
		a, err := template(list)
		if err != nil {
			return nil, err
		}
		rules, class := ecPublicObject, uint(CKO_PUBLIC_KEY)
		if i == 1 {
			rules, class = ecPrivateObject, CKO_PRIVATE_KEY
		}
		if err := rules.check(list, a, generating, s.token.user()); err != nil {
			return nil, err
		}
		if err := a.agree(class, keyType); err != nil {
			return nil, err
		}
		r.half[i] = a
	}
	var err error
	if r.curve, err = curveOf(r.half[0][CKA_EC_PARAMS]); err != nil {
		return nil, because(err, CKA_EC_PARAMS, "is no curve that is known here")
	}
	if r.curve.keyType != keyType || !s.token.capability(r.curve.curve).Generate {
		return nil, refuse(CKR_CURVE_NOT_SUPPORTED, CKA_EC_PARAMS, "is no curve that the mechanism and the device have")
	}
	if err := r.agreeOnSlot(); err != nil {
		return nil, err
	}
	return r, s.possible(r)
}

// agreeOnSlot checks that the templates ask for one key slot at most, and for
// none when the key is to live in volatile memory. The private one then names it.
func (r *pairRequest) agreeOnSlot() error {
	public, private := r.half[0], r.half[1]
	if slot, asked := public[CKA_ZK_SLOT]; asked {
		private.fill(attributes{CKA_ZK_SLOT: slot})
	}
	_, asked := private[CKA_ZK_SLOT]
	if asked && (!private.is(CKA_TOKEN) || !agrees(public, CKA_ZK_SLOT, private.number(CKA_ZK_SLOT))) {
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_ZK_SLOT, "is for a key on the token, and one for both halves")
	}
	return nil
}

// agree answers whether a template is of a class and a key type, if it names them.
func (a attributes) agree(class, keyType uint) error {
	switch {
	case !agrees(a, CKA_CLASS, class):
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_CLASS, "is not that of what is made")
	case !agrees(a, CKA_KEY_TYPE, keyType):
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_KEY_TYPE, "is not that of what the mechanism makes")
	}
	return nil
}

// agrees tells whether a number in a template is the one that it must be, or is
// not there.
func agrees(a attributes, t, want uint) bool {
	_, given := a[t]
	return !given || a.number(t) == want
}

// possible answers whether the device can keep what the templates promise: a
// private key never leaves it, and is usable by the user only. One that is not sensitive
// it can keep: of a key that is not extractable nothing is shown anyway (section 4.10).
func (s *session) possible(r *pairRequest) error {
	private := r.half[1].with(nil)
	private.fill(ecPrivateObject.initial())
	if !private.is(CKA_PRIVATE) {
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_PRIVATE, "is true of a private key in an SCM: it is the user's alone")
	}
	if private.is(CKA_EXTRACTABLE) {
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_EXTRACTABLE, "is false of a private key in an SCM: it never leaves")
	}
	for _, a := range r.half {
		want := a.with(nil)
		want.fill(attributes{CKA_TOKEN: no})
		want[CKA_PRIVATE] = boolean(want.is(CKA_PRIVATE))
		if err := s.writable(want); err != nil {
			return err
		}
	}
	return s.writable(private)
}

// madePair is a key pair, and what has come of it so far.
type madePair struct {
	key  scm.Key
	half [2]*object // public first
}

// handles of both halves, public first.
func (pair *madePair) handles() [2]uint { return [2]uint{pair.half[0].handle, pair.half[1].handle} }

// generate makes the key pair and its two objects. Nobody destroys the one
// before the others are there.
func (s *session) generate(r *pairRequest) ([2]uint, error) {
	if !r.half[1].is(CKA_TOKEN) {
		return s.generateVolatile(r)
	}
	if d, can := s.token.device.(scm.Placer); can {
		return s.generatePlaced(r, d)
	}
	return s.generateChosen(r)
}

// asksForSlot reports whether the key pair is to be in a slot of the caller's choice.
func (r *pairRequest) asksForSlot() bool {
	_, asked := r.half[1][CKA_ZK_SLOT]
	return asked
}

// newPair makes the objects of a key pair.
func (t *token) newPair(r *pairRequest, k scm.Key) *madePair {
	r.nameAlike(k)
	pair := &madePair{key: k}
	for i := range pair.half {
		pair.half[i] = t.newHalf(k, i == 1, r.half[i])
	}
	return pair
}

// generateVolatile makes session objects of a key pair in volatile memory; a public
// half with CKA_TOKEN is stored.
func (s *session) generateVolatile(r *pairRequest) ([2]uint, error) {
	s.token.changes.Lock()
	defer s.token.changes.Unlock()
	d, can := s.token.device.(scm.Volatile)
	if !can {
		return [2]uint{}, refuse(CKR_TEMPLATE_INCONSISTENT, CKA_TOKEN, "is true of each key of this device")
	}
	k, err := d.GenerateVolatile(r.curve.curve)
	if err != nil {
		return [2]uint{}, err
	}
	pair, kept := &madePair{key: k}, false
	defer s.token.takeBackUnless(&kept, pair)
	*pair = *s.token.newPair(r, k)
	if public := pair.half[0]; public.attrs.is(CKA_TOKEN) {
		public.key = nil
	}
	for _, o := range pair.half {
		if _, err := s.keep(o.attrs, o); err != nil {
			return [2]uint{}, err
		}
	}
	kept = true
	return pair.handles(), nil
}

// takeBackUnless undoes the making of a key pair in volatile memory of which not everything
// could be kept. The key goes in any case.
func (t *token) takeBackUnless(kept *bool, pair *madePair) {
	if *kept {
		return
	}
	defer t.removeUnkept(pair.key)
	for _, o := range pair.half {
		if o != nil && (o.handle != 0 || o.id.record != 0) {
			t.warnOn("forgetting one half of a new key pair", t.destroy(o))
		}
	}
}

func (t *token) removeUnkept(k scm.Key) {
	t.warnOn("erasing a new key that could not be kept", t.device.Remove(k))
}

// slotRefusal tells of the key slot that a template asks for, if that is what failed.
func slotRefusal(err error) error {
	switch {
	case errors.Is(err, scm.ErrSlotTaken):
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_ZK_SLOT, "is a key slot that holds a key")
	case errors.Is(err, scm.ErrSlotRange):
		return refuse(CKR_ATTRIBUTE_VALUE_INVALID, CKA_ZK_SLOT, "is no user key slot")
	}
	return err
}

// nameAlike gives both halves the same CKA_ID if the caller named one at most,
// and names the curve in both as the caller did.
func (r *pairRequest) nameAlike(k scm.Key) {
	r.half[1][CKA_EC_PARAMS] = r.half[0][CKA_EC_PARAMS]
	for i := range r.half {
		r.half[i].fill(attributes{CKA_ID: r.half[1-i][CKA_ID]})
		if len(r.half[i][CKA_ID]) == 0 {
			r.half[i][CKA_ID] = r.half[1-i][CKA_ID]
		}
	}
	for i := range r.half {
		if len(r.half[i][CKA_ID]) == 0 {
			r.half[i][CKA_ID] = defaultID(k)
		}
	}
}

// newHalf is the object of one half of a new key pair.
func (t *token) newHalf(k scm.Key, private bool, wanted attributes) *object {
	a := t.keyAttributes(k, private)
	if !k.Slot.Volatile() {
		a = t.slotAttributes(k, private)
	}
	a[CKA_TOKEN] = no
	o := &object{key: &k, id: slotIdentity(k, private), held: unconfirmed(), attrs: a.with(wanted)}
	o.rules = ecPublicObject
	if private {
		o.rules = ecPrivateObject
		o.attrs[CKA_ALWAYS_SENSITIVE] = o.attrs[CKA_SENSITIVE]
	}
	return o
}
