// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/secret"
	"libzk_pkcs11/internal/softkey"
)

// object is an object of a token, as it is at one moment: a change makes a new
// one in its place, so that it can be read without a lock.
type object struct {
	handle uint
	owner  *session // of a session object; nil for a token object
	id     identity // of a token object
	rules  rules
	attrs  attributes
	apart  bool           // the value is missing: the store keeps it apart, or hidden
	hidden *secret.Masked // the value of a session object, if it is one to conceal

	place  place             // where its key is; nil if its attributes are all of it
	lost   [][]byte          // public keys that the store remembers in the key slot instead
	verify *publicKey        // of public keys on curves of the device
	public softkey.PublicKey // of other public keys
	piece  Piece             // of a session object
}

// broken reports whether the key slot does not hold the key that it held.
func (o *object) broken() bool { return len(o.lost) > 0 }

// identity tells token objects apart for as long as they live: the number of its record
// in the store, or its key slot with the key that it holds, and which of the key's names it has.
type identity struct {
	record int64
	slot   scm.Slot
	half   half
	name   int
	public string
}

// half is one of the two keys of a pair.
type half uint8

const (
	publicHalf half = iota
	privateHalf
)

// slotIdentity is the identity of one half of a key pair in a key slot, by its first name.
func slotIdentity(k scm.Key, h half) identity {
	return identity{slot: k.Slot, half: h, public: string(k.Public)}
}

// setRules gives an object its rules and its key for verifying. It reports whether the object
// makes sense.
func (o *object) setRules() bool {
	var err error
	if o.rules, err = rulesFor(o.class(), o.keyType()); err != nil {
		return false
	}
	switch {
	case o.class() != CKO_PUBLIC_KEY:
		if o.place == nil && o.hasSecretKey() {
			o.place = &sealedKey{}
		}
	case isCurveType(o.keyType()):
		if o.verify, err = publicKeyOf(o.attrs); o.isOnFurtherCurve() {
			o.public, err = softPublicOf(o.attrs)
		}
	default:
		o.public, err = softPublicOf(o.attrs)
	}
	return err == nil
}

func (o *object) class() uint   { return o.attrs.number(CKA_CLASS) }
func (o *object) keyType() uint { return o.attrs.number(CKA_KEY_TYPE) }
func (o *object) private() bool { return o.attrs.isTrue(CKA_PRIVATE) }

// hidesAttribute reports whether the value of an attribute is kept from callers.
func (o *object) hidesAttribute(t uint) bool {
	return o.rules[t].is&concealed != 0 && (o.attrs.isTrue(CKA_SENSITIVE) || !o.attrs.isTrue(CKA_EXTRACTABLE))
}

// matches reports whether the object has all attributes of a template. Attributes
// that are kept from callers match nothing.
func (o *object) matches(template attributes) bool {
	if o.feature() && template[CKA_CLASS] == nil {
		return false
	}
	for t, v := range template {
		have, ok := o.attrs[t]
		if !ok || string(have) != string(v) || o.hidesAttribute(t) {
			return false
		}
	}
	return true
}

// readable reports whether the session's user may see an object.
func (s *session) readable(o *object) bool {
	return !o.private() || s.token.user() == CKU_USER
}

// vouched reports whether the SO vouches for an object, so that it is for nobody else
// to change or destroy.
func (s *session) vouched(a attributes) bool {
	return a.isTrue(CKA_TRUSTED) && s.token.user() != CKU_SO
}

// checkWritable returns an error unless the session may make, change or destroy an object
// with these attributes (section 5.7.1).
func (s *session) checkWritable(a attributes) error {
	if a.isTrue(CKA_PRIVATE) && s.token.user() != CKU_USER {
		return CKR_USER_NOT_LOGGED_IN
	}
	if a.isTrue(CKA_TOKEN) {
		return s.checkCanWrite()
	}
	return nil
}

// checkCanWrite returns an error unless the session may change what is on the token.
func (s *session) checkCanWrite() error {
	switch {
	case s.token.store.ReadOnly():
		return CKR_TOKEN_WRITE_PROTECTED
	case !s.rw:
		return CKR_SESSION_READ_ONLY
	}
	return nil
}
