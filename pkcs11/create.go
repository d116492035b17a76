// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"

	"libzk_pkcs11/internal/secret"
	"libzk_pkcs11/internal/softkey"
	"libzk_pkcs11/internal/store"
)

// CreateObject makes an object of a template (section 5.7.1): a certificate, a
// data object or a key. Private keys that come in are sealed: no device takes them.
func (p *Provider) CreateObject(h uint, list []Attribute) (handle uint, err error) {
	s, err := p.session(h)
	if err != nil {
		return 0, err
	}
	defer s.done(&err)
	a, err := s.newObject(list)
	if err != nil {
		return 0, err
	}
	if a.isTrue(CKA_ZK_FOREIGN) {
		return s.keepForeign(a)
	}
	defer a.erasePrivate()
	return s.keepObject(a, nil)
}

// newObject returns the attributes of a new object: all of them, but for a public key that goes into the SCM, of
// which those of the template.
func (s *session) newObject(list []Attribute) (attributes, error) {
	a, err := s.template(list)
	if err != nil {
		return nil, err
	}
	r, err := s.creatable(a)
	if err != nil {
		return nil, err
	}
	if err := r.checkNew(list, a, creating, s.token.user()); err != nil {
		return nil, err
	}
	if a.isTrue(CKA_ZK_FOREIGN) {
		return a, nil
	}
	a.addMissing(r.initialFor(s.token))
	if err := s.complete(a); err != nil {
		a.erasePrivate()
		return nil, err
	}
	return a, nil
}

// creatable returns the rules for an object that C_CreateObject can make.
func (s *session) creatable(a attributes) (rules, error) {
	if _, ok := a[CKA_CLASS]; !ok {
		return nil, refuse(CKR_TEMPLATE_INCOMPLETE, CKA_CLASS, "is missing")
	}
	class := a.number(CKA_CLASS)
	switch class {
	case CKO_PRIVATE_KEY:
		if !s.token.sealsKeys() {
			return nil, refuse(CKR_TEMPLATE_INCONSISTENT, CKA_CLASS,
				"is that of a private key, which cannot be brought into an SCM; make it there with C_GenerateKeyPair")
		}
		return s.creatableKey(class, a)
	case CKO_PUBLIC_KEY, CKO_SECRET_KEY, CKO_DOMAIN_PARAMETERS:
		return s.creatableKey(class, a)
	}
	r, err := rulesFor(class, a.number(CKA_KEY_TYPE))
	return r, because(err, CKA_CLASS, "is one of which the token has no objects")
}

// creatableKey is creatable for an object that has a key type.
func (s *session) creatableKey(class uint, a attributes) (rules, error) {
	if _, ok := a[CKA_KEY_TYPE]; !ok {
		return nil, refuse(CKR_TEMPLATE_INCOMPLETE, CKA_KEY_TYPE, "is missing")
	}
	r, err := rulesFor(class, a.number(CKA_KEY_TYPE))
	if err == nil && !s.token.sealsKeys() && (&object{attrs: a}).isOfSealedType() {
		err = CKR_ATTRIBUTE_VALUE_INVALID
	}
	return r, because(err, CKA_KEY_TYPE, "is one of which the token has no such keys")
}

// complete checks the content of a new object and adds what follows from it.
func (s *session) complete(a attributes) error {
	switch a.number(CKA_CLASS) {
	case CKO_PUBLIC_KEY:
		return s.completePublicKey(a)
	case CKO_PRIVATE_KEY:
		return completePrivate(a)
	case CKO_CERTIFICATE:
		return completeCertificate(a)
	case CKO_SECRET_KEY:
		return s.completeSecret(a)
	}
	return nil
}

func (s *session) completeSecret(a attributes) error {
	switch n := len(a[CKA_VALUE]); {
	case n == 0:
		return refuse(CKR_ATTRIBUTE_VALUE_INVALID, CKA_VALUE, "is empty")
	case n > softkey.LongestSecret && s.token.sealsKeys():
		return refuse(CKR_ATTRIBUTE_VALUE_INVALID, CKA_VALUE, "is longer than 65536 bytes, which no mechanism works with")
	}
	a[CKA_VALUE_LEN] = encodeULong(uint(len(a[CKA_VALUE])))
	return a.completeCheckValue()
}

// completeCheckValue adds the CKA_CHECK_VALUE of a certificate or a generic secret, or
// compares the one that a template has with what it has to be. An empty one stays
// empty: the caller wants none.
func (a attributes) completeCheckValue() error {
	sum, err := a.checkValue()
	if err != nil {
		return err
	}
	if given := a[CKA_CHECK_VALUE]; len(given) > 0 && !bytes.Equal(given, sum) {
		return refuse(CKR_ATTRIBUTE_VALUE_INVALID, CKA_CHECK_VALUE, "is not that of CKA_VALUE")
	}
	a.addMissing(attributes{CKA_CHECK_VALUE: sum})
	return nil
}

// checkValue is the CKA_CHECK_VALUE of a value: for a cipher the beginning of a block of zeros that it encrypts.
func (a attributes) checkValue() ([]byte, error) {
	if a.number(CKA_KEY_TYPE) == CKK_AES {
		k, err := softkey.NewAES(a[CKA_VALUE])
		if err != nil {
			return nil, because(CKR_ATTRIBUTE_VALUE_INVALID, CKA_VALUE, "is not as long as a key of AES")
		}
		return k.CheckValue(), nil
	}
	var sum [sha1.Size]byte
	secret.Do(func() { sum = sha1.Sum(a[CKA_VALUE]) })
	return sum[:3], nil
}

func (s *session) completePublicKey(a attributes) error {
	o := &object{attrs: a}
	if !isCurveType(o.keyType()) || s.token.sealsKeys() && o.isOnFurtherCurve() {
		return completeSoftPublic(a)
	}
	k, err := publicKeyOf(a)
	if err != nil {
		return err
	}
	if k.curve.keyType != a.number(CKA_KEY_TYPE) {
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_KEY_TYPE, "is not that of the curve")
	}
	info := k.curve.publicKeyInfo(k.public)
	if given := a[CKA_PUBLIC_KEY_INFO]; len(given) > 0 && !bytes.Equal(given, info) {
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_PUBLIC_KEY_INFO, "is of another key")
	}
	a[CKA_PUBLIC_KEY_INFO] = info
	return nil
}

// completeSoftPublic is completePublicKey for a key that no key slot can hold.
func completeSoftPublic(a attributes) error {
	k, err := softPublicOf(a)
	if err != nil {
		return err
	}
	told, err := publicAttributes(k)
	if err != nil {
		return err
	}
	if given := a[CKA_PUBLIC_KEY_INFO]; len(given) > 0 && !bytes.Equal(given, told[CKA_PUBLIC_KEY_INFO]) {
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_PUBLIC_KEY_INFO, "is of another key")
	}
	for t, v := range told {
		if !isCurveAttribute(t) {
			a[t] = v
		}
	}
	return nil
}

// completeCertificate adds the checksum and the public key of an X.509
// certificate. One that the standard library cannot read is kept as it is, and of
// one that is only a URL there is nothing to add. Beside a URL stand the hashes by
// which a certificate is recognised that is not at hand.
func completeCertificate(a attributes) error {
	if a.number(CKA_CERTIFICATE_TYPE) != CKC_X_509 {
		return refuse(CKR_ATTRIBUTE_VALUE_INVALID, CKA_CERTIFICATE_TYPE, "is none that the token keeps")
	}
	hashed := len(a[CKA_HASH_OF_SUBJECT_PUBLIC_KEY]) > 0 && len(a[CKA_HASH_OF_ISSUER_PUBLIC_KEY]) > 0
	if len(a[CKA_URL]) > 0 && !hashed {
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_URL, "is there without the hashes of the keys")
	}
	if len(a[CKA_VALUE]) == 0 {
		return completeURL(a)
	}
	if err := a.completeCheckValue(); err != nil {
		return err
	}
	info := empty
	if c, err := x509.ParseCertificate(a[CKA_VALUE]); err == nil {
		info = bytes.Clone(c.RawSubjectPublicKeyInfo)
	}
	a.addMissing(attributes{CKA_PUBLIC_KEY_INFO: info})
	return nil
}

// completeURL checks a certificate that is somewhere else.
func completeURL(a attributes) error {
	if len(a[CKA_URL]) == 0 {
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_VALUE, "is empty, and there is no CKA_URL")
	}
	a.addMissing(attributes{CKA_CHECK_VALUE: empty, CKA_PUBLIC_KEY_INFO: empty})
	return nil
}

// keepObject makes an object of finished attributes, in the store or in the session.
func (s *session) keepObject(a attributes, o *object) (uint, error) {
	if err := s.checkWritable(a); err != nil {
		return 0, err
	}
	if o == nil {
		o = &object{}
	}
	o.attrs = a
	if a.isTrue(CKA_TOKEN) {
		return s.token.keepStored(o)
	}
	o.owner = s
	return s.token.keepSession(o)
}

// keepSession keeps a session object.
func (t *token) keepSession(o *object) (uint, error) {
	o.handle = t.slot.provider.newHandle()
	if o.attrs[CKA_UNIQUE_ID] == nil {
		o.attrs[CKA_UNIQUE_ID] = []byte("session-" + hex.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(o.handle))))
	}
	if !o.setRules() {
		return 0, CKR_TEMPLATE_INCONSISTENT
	}
	t.mine.mu.Lock()
	defer t.mine.mu.Unlock()
	if o.private() && t.user() != CKU_USER {
		return 0, CKR_USER_NOT_LOGGED_IN // another thread has just logged out, and drops what is there
	}
	t.leaveObject(o)
	t.conceal(o)
	t.mine.add(o)
	return o.handle, nil
}

// keepStored writes a token object to the store.
func (t *token) keepStored(o *object) (uint, error) {
	if err := t.giveUnique(o.attrs); err != nil {
		return 0, err
	}
	r := recordOf(0, o.attrs)
	err := t.putRecord(r)
	if r.Sealed {
		clear(o.attrs[o.attrs.valueType()])
	}
	if err != nil {
		return 0, err
	}
	o.id = identity{record: r.ID}
	o.handle = t.recordHandle(r.ID, o)
	return o.handle, nil
}

// giveUnique makes the CKA_UNIQUE_ID of a token object that has none.
func (t *token) giveUnique(a attributes) error {
	if a[CKA_UNIQUE_ID] != nil {
		return nil
	}
	id := make([]byte, 16)
	if err := t.device.Random(id); err != nil {
		return err
	}
	a[CKA_UNIQUE_ID] = []byte(hex.EncodeToString(id))
	return nil
}

// updateStore changes the store in one transaction. What looks next sees the change.
func (t *token) updateStore(change func(*store.Tx) error) error {
	return t.noteWritten(t.store.Update(change))
}

// putRecord writes one record.
func (t *token) putRecord(r *store.Record) error {
	return t.updateStore(func(tx *store.Tx) error { return tx.Put(r) })
}

// updateForDeletion is updateStore for what makes room.
func (t *token) updateForDeletion(change func(*store.Tx) error) error {
	return t.noteWritten(t.store.Release(change))
}

func (t *token) noteWritten(done store.Change, err error) error {
	if err != nil {
		return err
	}
	for {
		before := t.written.Load()
		if before >= done.After || t.written.CompareAndSwap(before, done.After) {
			return nil
		}
	}
}

// CopyObject makes a copy of an object, with some attributes of its own
// (section 5.7.2). A private key in a slot cannot be copied: there is one of it.
func (p *Provider) CopyObject(h, object uint, list []Attribute) (handle uint, err error) {
	s, err := p.session(h)
	if err != nil {
		return 0, err
	}
	defer s.done(&err)
	o, err := s.findObject(object)
	if err != nil {
		return 0, err
	}
	a, err := s.template(list)
	if err != nil {
		return 0, err
	}
	if !o.attrs.isTrue(CKA_COPYABLE) {
		return 0, CKR_ACTION_PROHIBITED
	}
	if err := o.rules.checkChange(o.attrs, list, a, copying, s.token.user()); err != nil {
		return 0, err
	}
	whole, err := s.token.withValue(o)
	if err != nil {
		return 0, err
	}
	defer o.eraseValueOf(whole)
	return s.copyObject(whole, whole.attrs.withAll(a).withOwnValue())
}

// withOwnValue returns the attributes of a copy with a value of its own: where the copy is kept, it is overwritten.
func (a attributes) withOwnValue() attributes {
	typ := a.valueType()
	if value := a[typ]; len(value) > 0 {
		a[typ] = append(secret.Make(len(value))[:0], value...)
	}
	return a
}

func (s *session) copyObject(o *object, a attributes) (uint, error) {
	if o.private() && !a.isTrue(CKA_PRIVATE) {
		return 0, refuse(CKR_TEMPLATE_INCONSISTENT, CKA_PRIVATE, "cannot be taken from a copy")
	}
	if o.class() == CKO_PRIVATE_KEY {
		defer a.erasePrivate()
		if err := s.token.copyPrivate(o, a); err != nil {
			return 0, err
		}
	}
	delete(a, CKA_UNIQUE_ID)
	a.leaveSlot()
	if s.vouched(a) {
		a[CKA_TRUSTED] = no // the SO has not seen the copy, which may differ
	}
	if o.deviceKey() != nil {
		a[CKA_DESTROYABLE] = yes // the copy is not in the slot
	}
	return s.keepObject(a, nil)
}

// copyPrivate checks that there may be a copy of a private key, and what it is to be.
func (t *token) copyPrivate(o *object, a attributes) error {
	if err := a.checkSealable(); err != nil {
		return err
	}
	if o.isSealed() {
		return nil
	}
	return t.bringOut(o, a)
}
