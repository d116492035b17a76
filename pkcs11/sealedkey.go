// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"sync/atomic"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/softkey"
)

// Keys that no key slot can hold are sealed in the store, those of a session in masked memory, and computed with by
// package softkey. What is secret of one is an attribute that is kept apart (hidden.go): the value of a secret key, the
// PrivateKeyInfo of a private key.

// privateKeyInfo is the attribute of a sealed private key that nobody outside sees: its PKCS #8 PrivateKeyInfo. No
// rules have it, so that no template may name it.
const privateKeyInfo = CKA_VENDOR_DEFINED + 0x5A4BFF

// sealedKey is a key that is not in the device. Once it was used, it is at hand until its object is dropped: at the
// latest at the logout.
type sealedKey struct{ opened atomic.Pointer[openedKey] }

// openedKey is a key that can be computed with: a softkey.PrivateKey, a *softkey.AES or a *softkey.Secret.
type openedKey struct{ key any }

func (*sealedKey) deviceKey() *scm.Key { return nil }

// sealsKeys reports whether keys that no key slot can hold are sealed in the store.
func (t *token) sealsKeys() bool { return t.abilities().sealsKeys() }

func (m abilities) sealsKeys() bool { return m.slot.provider.options.SealedKeys }

// isSealed reports whether an object is a key that is computed with here.
func (o *object) isSealed() bool {
	if o == nil {
		return false
	}
	_, sealed := o.place.(*sealedKey)
	return sealed
}

// isOfSealedKind reports whether an object can be there only where keys are sealed.
func (o *object) isOfSealedKind() bool { return o.isOfSealedType() || o.isOnFurtherCurve() }

// isOnFurtherCurve reports whether an object is a public key on a curve that no device has.
func (o *object) isOnFurtherCurve() bool {
	_, err := curveOf(o.attrs[CKA_EC_PARAMS])
	return o.class() == CKO_PUBLIC_KEY && isCurveType(o.keyType()) && err == error(CKR_CURVE_NOT_SUPPORTED)
}

// isOfSealedType reports whether an object is of a sealed kind, as far as the class and the type of a key tell.
func (o *object) isOfSealedType() bool {
	switch o.class() {
	case CKO_PRIVATE_KEY:
		return o.place == nil || o.isSealed()
	case CKO_PUBLIC_KEY:
		return !isCurveType(o.keyType())
	case CKO_SECRET_KEY:
		return o.keyType() != CKK_GENERIC_SECRET
	}
	return false
}

// softKey returns what a sealed key is computed with.
func (t *token) softKey(o *object) (any, error) {
	p, sealed := o.place.(*sealedKey)
	if !sealed {
		return nil, CKR_KEY_TYPE_INCONSISTENT
	}
	if at := p.opened.Load(); at != nil {
		return at.key, nil
	}
	whole, err := t.withValue(o)
	if err != nil {
		return nil, err
	}
	defer o.eraseValueOf(whole)
	k, err := openKey(whole.attrs)
	if err != nil {
		return nil, err
	}
	p.opened.Store(&openedKey{k})
	return k, nil
}

// openKey makes the key of the attributes of a sealed one.
func openKey(a attributes) (any, error) {
	switch {
	case a.number(CKA_CLASS) == CKO_PRIVATE_KEY:
		return softkey.ReopenPrivate(a[privateKeyInfo])
	case a.number(CKA_KEY_TYPE) == CKK_AES:
		return softkey.NewAES(a[CKA_VALUE])
	}
	return softkey.NewSecret(a[CKA_VALUE])
}

// keyOf returns the key of a task as what its mechanism needs: *softkey.RSA, *softkey.AES and so on.
func keyOf[K any](t *task) (k K, err error) {
	any, err := t.token.softKey(t.key)
	if err != nil {
		return k, err
	}
	k, right := any.(K)
	if !right {
		return k, CKR_KEY_TYPE_INCONSISTENT
	}
	return k, nil
}

// publicOf returns the public key of a task as what its mechanism needs: *softkey.RSAPublic and so on.
func publicOf[K softkey.PublicKey](t *task) (k K, err error) {
	k, right := t.key.public.(K)
	if !right {
		return k, CKR_KEY_TYPE_INCONSISTENT
	}
	return k, nil
}

// endSealed ends the operations of a session that hold a sealed key of a user, and reports whether there are any.
func (s *session) endSealed() (any bool) {
	if w := s.verify.work; w != nil && w.use.isPrivateSealed() {
		s.verify.end()
		any = true
	}
	if w := s.verifySignature.work; w != nil && w.use.isPrivateSealed() {
		s.verifySignature.end()
		any = true
	}
	any = endSealedSigning(&s.sign, &s.signRecover) || any
	any = endSealedCiphering(&s.encrypt, &s.decrypt) || any
	return s.messages.endSealed() || any
}

// endSealedSigning is endSealed for operations that sign. It reports whether there are any.
func endSealedSigning(operations ...*operation[signing]) (any bool) {
	for _, o := range operations {
		if w := o.work; w != nil && w.use.isPrivateSealed() {
			o.end()
			any = true
		}
	}
	return any
}

// endSealedCiphering is endSealed for operations that encrypt or decrypt. It reports whether there are any.
func endSealedCiphering(operations ...*operation[ciphering]) (any bool) {
	for _, o := range operations {
		if w := o.work; w != nil && w.use.isPrivateSealed() {
			o.end()
			any = true
		}
	}
	return any
}

func (u *use) isPrivateSealed() bool { return u.key.isSealed() && u.key.private() }

// endIfLoggedOut ends what holds sealed keys of a login that has ended, and reports whether there was anything. The
// caller holds mu.
func (s *session) endIfLoggedOut() bool {
	now := s.token.logins.Load()
	return s.login.Swap(now) != now && s.endSealed()
}

// endIfIdle is endIfLoggedOut for a session that no call works with. A call that does calls endIfLoggedOut afterwards.
func (s *session) endIfIdle() {
	if s.login.Load() != s.token.logins.Load() && s.mu.TryLock() {
		defer s.mu.Unlock()
		s.endIfLoggedOut()
	}
}
