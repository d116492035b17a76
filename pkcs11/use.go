// SPDX-License-Identifier: Apache-2.0

package pkcs11

// use is the use of a key by an operation, from its beginning to its end.
type use struct {
	key           *object // nil for none
	authenticated bool    // a context-specific login came in for it
	era           uint    // of private objects, in which it was begun
}

// useOf begins the use of a key. era is that from before the key was looked up.
func useOf(key *object, era uint) use { return use{key: key, era: era} }

// privateEra is the era of private objects, which ends with a login.
func (t *token) privateEra() uint { return t.names.currentEras().private }

// checkUsable returns an error unless an operation may still use its key.
func (t *token) checkUsable(u *use) error {
	if u.key == nil || !u.key.private() {
		return nil
	}
	if t.user() != CKU_USER || u.key.alwaysAuthenticate() && !u.authenticated {
		return CKR_USER_NOT_LOGGED_IN
	}
	if u.era != t.privateEra() {
		return CKR_FUNCTION_FAILED // another thread has logged out and in again
	}
	return nil
}

// alwaysAuthenticate reports whether each use of a key needs a login of its own.
func (o *object) alwaysAuthenticate() bool { return o.attrs.isTrue(CKA_ALWAYS_AUTHENTICATE) }

// waits reports whether a use needs a login of its own that has not come in yet.
func (u *use) waits() bool { return u.key != nil && u.key.alwaysAuthenticate() && !u.authenticated }
