// SPDX-License-Identifier: Apache-2.0

package pkcs11

// use is the use of a key by an operation, from its beginning to its end.
type use struct {
	key           *object // nil for none
	authenticated bool    // a context-specific login came in for it
	era           uint    // of private objects, in which it was begun
	number        uint    // of the uses of a session: the later, the higher
}

// useOf begins the use of a key that needs no login of its own. era is that from before the key was looked up.
func useOf(key *object, era uint) use { return use{key: key, era: era} }

// beginUse is useOf for a key that may need one.
func (s *session) beginUse(key *object, era uint) use {
	if key != nil { // data that is locked needs no login of a key's own
		s.derive = nil // a login is for what was begun last
	}
	s.begun++
	return use{key: key, era: era, number: s.begun}
}

// uses are those of the operations under way.
func (s *session) uses() []*use {
	var list []*use
	for _, o := range []*operation[signing]{&s.sign, &s.signRecover} {
		if o.work != nil {
			list = append(list, &o.work.use)
		}
	}
	for _, o := range []*operation[ciphering]{&s.encrypt, &s.decrypt} {
		if o.work != nil {
			list = append(list, &o.work.use)
		}
	}
	for _, u := range s.messages.uses() {
		list = append(list, u)
	}
	return list
}

// waiting is where to note a login for the use of a key that waits for one: what was begun last. It is nil where none does.
func (s *session) waiting() *bool {
	if s.derive != nil {
		return &s.derive.authenticated
	}
	var last *use
	for _, u := range s.uses() {
		if u.waits() && (last == nil || u.number > last.number) {
			last = u
		}
	}
	if last == nil {
		return nil
	}
	return &last.authenticated
}

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
