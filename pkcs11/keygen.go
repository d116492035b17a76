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
	row, err := s.token.mechanismFor(m, CKF_GENERATE_KEY_PAIR)
	if err != nil {
		return 0, 0, err
	}
	pair, err := row.generatePair(s, row, m, public, private)
	return pair.public, pair.private, err
}

// generateOnCurve makes a key pair in the device, or one that is sealed where no device can hold it.
func generateOnCurve(s *session, row *mechanism, m *Mechanism, public, private []Attribute) (pairHandles, error) {
	if s.token.sealsKeys() && s.token.hasNoPlaceFor(public, private) {
		return generateSealed(s, row, m, public, private)
	}
	r, err := s.pairRequest(row.keys.types[0], public, private)
	if err != nil {
		return pairHandles{}, err
	}
	return s.generate(r)
}

// pairRequest is what a caller wants of a new key pair.
type pairRequest struct {
	curve           *curve
	public, private attributes
}

// pairHandles are the handles of a key pair.
type pairHandles struct{ public, private uint }

// pairRequest checks the two templates of C_GenerateKeyPair.
func (s *session) pairRequest(keyType uint, public, private []Attribute) (*pairRequest, error) {
	r := &pairRequest{}
	var err error
	if r.public, err = s.checkHalf(public, ecPublicObject, CKO_PUBLIC_KEY, keyType); err != nil {
		return nil, err
	}
	if r.private, err = s.checkHalf(private, ecPrivateObject, CKO_PRIVATE_KEY, keyType); err != nil {
		return nil, err
	}
	if r.curve, err = curveOf(r.public[CKA_EC_PARAMS]); err != nil {
		return nil, because(err, CKA_EC_PARAMS, "is no curve that is known here")
	}
	if r.curve.keyType != keyType || !s.token.capability(r.curve.curve).Generate {
		return nil, refuse(CKR_CURVE_NOT_SUPPORTED, CKA_EC_PARAMS, "is no curve that the mechanism and the device have")
	}
	if err := r.agreeOnSlot(); err != nil {
		return nil, err
	}
	return r, s.checkPossible(r)
}

// checkHalf checks one of the templates.
func (s *session) checkHalf(list []Attribute, r rules, class, keyType uint) (attributes, error) {
	a, err := s.template(list)
	if err != nil {
		return nil, err
	}
	if err := r.checkNew(list, a, generating, s.token.user()); err != nil {
		return nil, err
	}
	return a, a.checkKind(class, keyType)
}

// agreeOnSlot checks that the templates ask for one key slot at most, and for
// none when the key is to live in volatile memory. The private one then names it.
func (r *pairRequest) agreeOnSlot() error {
	public, private := r.public, r.private
	if slot, asked := public[CKA_ZK_SLOT]; asked {
		private.addMissing(attributes{CKA_ZK_SLOT: slot})
	}
	_, asked := private[CKA_ZK_SLOT]
	if asked && (!private.isTrue(CKA_TOKEN) || !isAbsentOr(public, CKA_ZK_SLOT, private.number(CKA_ZK_SLOT))) {
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_ZK_SLOT, "is for a key on the token, and one for both halves")
	}
	return nil
}

// checkKind returns an error unless a template is of a class and a key type, if it names them.
func (a attributes) checkKind(class, keyType uint) error {
	switch {
	case !isAbsentOr(a, CKA_CLASS, class):
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_CLASS, "is not that of what is made")
	case !isAbsentOr(a, CKA_KEY_TYPE, keyType):
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_KEY_TYPE, "is not that of what the mechanism makes")
	}
	return nil
}

// isAbsentOr reports whether a number in a template is the one that it must be, or is
// not there.
func isAbsentOr(a attributes, t, want uint) bool {
	_, given := a[t]
	return !given || a.number(t) == want
}

// checkPossible returns an error unless the device can keep what the templates promise: a
// private key never leaves it, and is usable by the user only. One that is not sensitive
// it can keep: of a key that is not extractable nothing is shown anyway (section 4.10).
func (s *session) checkPossible(r *pairRequest) error {
	private := r.private.withAll(nil)
	private.addMissing(ecPrivateObject.initial())
	if !private.isTrue(CKA_PRIVATE) {
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_PRIVATE, "is true of a private key in an SCM: it is the user's alone")
	}
	if private.isTrue(CKA_EXTRACTABLE) {
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_EXTRACTABLE, "is false of a private key in an SCM: it never leaves")
	}
	for _, a := range []attributes{r.public, r.private} {
		want := a.withAll(nil)
		want.addMissing(attributes{CKA_TOKEN: no})
		want[CKA_PRIVATE] = encodeBool(want.isTrue(CKA_PRIVATE))
		if err := s.checkWritable(want); err != nil {
			return err
		}
	}
	return s.checkWritable(private)
}

// madePair is a key pair, and what has come of it so far.
type madePair struct {
	key             scm.Key
	public, private *object
}

func (pair *madePair) halves() []*object { return []*object{pair.public, pair.private} }

func (pair *madePair) handles() pairHandles {
	return pairHandles{pair.public.handle, pair.private.handle}
}

// generate makes the key pair and its two objects. Nobody destroys the one
// before the others are there.
func (s *session) generate(r *pairRequest) (pairHandles, error) {
	if !r.private.isTrue(CKA_TOKEN) {
		return s.generateVolatile(r)
	}
	if d, can := s.token.device.(scm.Placer); can {
		return s.generatePlaced(r, d)
	}
	return s.generateChosen(r)
}

// asksForSlot reports whether the key pair is to be in a slot of the caller's choice.
func (r *pairRequest) asksForSlot() bool {
	_, asked := r.private[CKA_ZK_SLOT]
	return asked
}

// newPair makes the objects of a key pair.
func (t *token) newPair(r *pairRequest, k scm.Key) *madePair {
	r.nameAlike(k)
	return &madePair{key: k, public: t.newHalf(k, publicHalf, r.public), private: t.newHalf(k, privateHalf, r.private)}
}

// generateVolatile makes session objects of a key pair in volatile memory; a public
// half with CKA_TOKEN is stored.
func (s *session) generateVolatile(r *pairRequest) (pairHandles, error) {
	s.token.changes.Lock()
	defer s.token.changes.Unlock()
	d, can := s.token.device.(scm.Volatile)
	if !can {
		return pairHandles{}, refuse(CKR_TEMPLATE_INCONSISTENT, CKA_TOKEN, "is true of each key of this device")
	}
	k, err := d.GenerateVolatile(r.curve.curve)
	if err != nil {
		return pairHandles{}, err
	}
	pair, kept := &madePair{key: k}, false
	defer s.token.takeBackUnless(&kept, pair)
	*pair = *s.token.newPair(r, k)
	if public := pair.public; public.attrs.isTrue(CKA_TOKEN) {
		public.place = nil
	}
	for _, o := range pair.halves() {
		if _, err := s.keepObject(o.attrs, o); err != nil {
			return pairHandles{}, err
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
	for _, o := range pair.halves() {
		if o != nil && (o.handle != 0 || o.id.record != 0) {
			t.warnIfFailed("forgetting one half of a new key pair", t.destroy(o))
		}
	}
}

func (t *token) removeUnkept(k scm.Key) {
	t.warnIfFailed("erasing a new key that could not be kept", t.device.Remove(k))
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
	r.private[CKA_EC_PARAMS] = r.public[CKA_EC_PARAMS]
	if len(r.public[CKA_ID]) == 0 {
		r.public[CKA_ID] = r.private[CKA_ID]
	}
	if len(r.public[CKA_ID]) == 0 {
		r.public[CKA_ID] = defaultID(k)
	}
	if len(r.private[CKA_ID]) == 0 {
		r.private[CKA_ID] = r.public[CKA_ID]
	}
}

// newHalf is the object of one half of a new key pair.
func (t *token) newHalf(k scm.Key, h half, wanted attributes) *object {
	o := &object{place: placeOf(k), id: slotIdentity(k, h), attrs: t.keyAttributes(k, h)}
	if _, inSlot := o.place.(remover); inSlot {
		o.attrs = t.slotAttributes(k, h)
	}
	o.attrs[CKA_TOKEN] = no
	if t.copies(o.place) {
		o.attrs[CKA_COPYABLE] = yes
	}
	o.attrs = o.attrs.withAll(wanted)
	o.rules = ecPublicObject
	if h == privateHalf {
		o.rules = ecPrivateObject
		o.attrs[CKA_ALWAYS_SENSITIVE] = o.attrs[CKA_SENSITIVE]
	}
	return o
}

// copies reports whether there can be a copy of a private key in the device, which is then sealed.
func (t *token) copies(p place) bool {
	_, goes := p.(transient)
	_, can := t.device.(scm.Heritable)
	return goes && can && t.sealsKeys()
}
