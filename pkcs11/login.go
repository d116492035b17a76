// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"errors"
	"strings"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/secret"
	"libzk_pkcs11/internal/store"
)

// InitToken initialises the token in a slot (section 5.5.7): its stored objects are gone, and so are
// the keys in user key slots that were made by way of the token. Deviates: keys that other programs have
// made stay, and foreign keys. On a token that is initialised already pin has to be its SO PIN.
func (p *Provider) InitToken(slot uint, pin, label []byte) (err error) {
	t, err := p.awaitedToken(slot)
	if err != nil {
		return err
	}
	defer t.done(&err)
	if pin == nil || label == nil {
		return CKR_ARGUMENTS_BAD
	}
	if err := pinLength(pin); err != nil {
		return CKR_PIN_INCORRECT // the only code for a PIN that C_InitToken has
	}
	t.login.Lock()
	defer t.login.Unlock()
	if t.sessions.all.Load() > 0 {
		return CKR_SESSION_EXISTS
	}
	err = t.initialise(strings.TrimRight(string(label), " "), pin)
	if errors.Is(err, scm.ErrSealed) {
		t.slot.provider.log.Errorf("slot %d: the device is sealed to a secret that the PINs of this token do not give", t.slot.id)
		return CKR_DEVICE_ERROR // nobody is logged in to a token that is initialised
	}
	return err
}

// initialise gives the token a new secret. The device takes it beside the old
// one before the store commits it, and drops the old one after, so that at no
// moment a crash leaves keys that no PIN opens. Of several processes that do it
// at a time, each finds what the one before it has left.
func (t *token) initialise(label string, pin []byte) error {
	release, err := t.store.Alone()
	if err != nil {
		return err
	}
	defer release()
	strange := t.checkPair()
	if strange != nil && !errors.Is(strange, errReset) {
		return strange
	}
	if err := t.unsealAsOfficer(pin, strange); err != nil {
		return err
	}
	defer t.sealDevice()
	mate, err := t.newMate()
	if err != nil {
		return err
	}
	// What cannot be listed cannot be removed: it is asked for before anything has changed.
	own, err := t.ownKeys()
	if err != nil {
		return err
	}
	root, unrooted := t.newRoot()
	if isGone(unrooted) {
		return unrooted
	}
	defer root.destroy()
	secret, err := t.store.Initialize(label, pin, mate, root.Root, t.prepare)
	if err != nil {
		return err
	}
	defer clear(secret)
	t.reportUnrooted(unrooted)
	if err := t.unsealDevice(secret); err != nil {
		return err
	}
	t.bindDevice(store.Bond(secret, mate))
	return t.removeOwnKeys(own)
}

// prepare makes the device ready for a new secret.
func (t *token) prepare(secret, bond []byte) error {
	if s, ok := t.device.(scm.Sealer); ok {
		if err := s.Prepare(secret); err != nil {
			return err
		}
	}
	if b, ok := t.device.(scm.Bonded); ok {
		return b.Offer(bond)
	}
	return nil
}

// unsealAsOfficer opens the device of a token that is initialised already, with
// the SO PIN that it has. It has to be the token's own unless strange says that it was reset.
func (t *token) unsealAsOfficer(pin []byte, strange error) error {
	st, err := t.store.Token()
	if err != nil || !st.Initialized {
		return err
	}
	secret, err := t.store.CheckPIN(store.SO, pin)
	if err != nil {
		return err
	}
	defer clear(secret)
	if err := t.unsealDevice(secret); err != nil || strange != nil {
		return err
	}
	if err := t.checkBond(secret); err != nil {
		return err
	}
	return t.settleBond()
}

// unsealDevice opens the device with the token's secret.
func (t *token) unsealDevice(secret []byte) error {
	if s, ok := t.device.(scm.Sealer); ok {
		return s.Unseal(secret)
	}
	return nil
}

func (t *token) sealDevice() {
	if s, ok := t.device.(scm.Sealer); ok {
		s.Forget()
	}
}

// InitPIN sets the user's PIN in an SO session (section 5.5.8).
func (p *Provider) InitPIN(h uint, pin []byte) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if pin == nil {
		return CKR_ARGUMENTS_BAD
	}
	s.token.login.Lock()
	defer s.token.login.Unlock()
	if s.token.user() != CKU_SO {
		return CKR_USER_NOT_LOGGED_IN
	}
	if err := pinLength(pin); err != nil {
		return err
	}
	return s.token.store.SetPIN(store.NormalUser, nil, pin)
}

// SetPIN changes the PIN of the user who is logged in, or of the normal user
// when none is (section 5.5.9).
func (p *Provider) SetPIN(h uint, old, pin []byte) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if old == nil || pin == nil {
		return CKR_ARGUMENTS_BAD
	}
	if err := s.checkCanWrite(); err != nil {
		return err
	}
	if err := pinLength(pin); err != nil {
		return err
	}
	s.token.login.Lock()
	defer s.token.login.Unlock()
	user := store.NormalUser
	if s.token.user() == CKU_SO {
		user = store.SO
	}
	if err := s.token.checkPair(); err != nil {
		return err
	}
	secret, err := s.token.store.CheckPIN(user, old)
	if err == store.ErrNoPIN {
		return CKR_PIN_INCORRECT // C_SetPIN has no code for a PIN that was never set
	}
	if err != nil {
		return err
	}
	defer clear(secret)
	return s.token.store.SetPIN(user, secret, pin)
}

// pinLength checks the length of a new PIN.
func pinLength(pin []byte) error {
	if len(pin) < MinPIN || len(pin) > MaxPIN {
		return CKR_PIN_LEN_RANGE
	}
	return nil
}

// Login logs a user in to the token of a session, for all sessions of the
// process (section 5.6.8).
func (p *Provider) Login(h, user uint, pin []byte) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	switch {
	case user != CKU_USER && user != CKU_SO && user != CKU_CONTEXT_SPECIFIC:
		return CKR_USER_TYPE_INVALID
	case pin == nil:
		return CKR_ARGUMENTS_BAD // there is no protected authentication path
	case user == CKU_CONTEXT_SPECIFIC:
		return s.authenticate(pin)
	}
	s.token.login.Lock()
	defer s.token.login.Unlock()
	if err := s.token.checkMayLogin(user); err != nil {
		return err
	}
	return s.token.openLogin(user, pin)
}

// LoginUser is Login for tokens that know several users by name (section
// 5.6.9); this one knows none, so that a name is refused.
func (p *Provider) LoginUser(h, user uint, pin, username []byte) (err error) {
	if len(username) == 0 {
		return p.Login(h, user, pin)
	}
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	return CKR_USER_TYPE_INVALID
}

// checkMayLogin returns an error unless user may log in as things stand.
func (t *token) checkMayLogin(user uint) error {
	switch t.user() {
	case user:
		return CKR_USER_ALREADY_LOGGED_IN
	case nobody:
	default:
		return CKR_USER_ANOTHER_ALREADY_LOGGED_IN
	}
	if user == CKU_SO && t.sessions.all.Load() > t.sessions.rw.Load() {
		return CKR_SESSION_READ_ONLY_EXISTS
	}
	return nil
}

// openLogin checks the PIN, then opens the device and the stored private objects
// with the secret that the PIN guards.
func (t *token) openLogin(user uint, pin []byte) error {
	if err := t.checkPair(); err != nil {
		return err
	}
	t.older.Store(t.copied())
	secret, err := t.store.Login(store.User(user), pin)
	if err != nil {
		t.tellOfLineEnd(pin, err)
		return err
	}
	defer clear(secret)
	if err := t.unsealDevice(secret); err != nil {
		t.store.Logout()
		t.slot.provider.log.Errorf("slot %d: the PIN is right, but the device does not open: %v", t.slot.id, err)
		return CKR_DEVICE_ERROR
	}
	if err := t.checkUnsealed(secret); err != nil {
		t.store.Logout()
		t.sealDevice()
		return err
	}
	if err := t.openPrivate(); err != nil {
		t.store.Logout()
		t.sealDevice()
		return err
	}
	t.who.Store(uint64(user))
	t.leaveLogin(secret)
	t.forgetObjects()
	t.reindex()
	t.mendJournal(mendWait)
	return nil
}

// tellOfLineEnd says why a PIN may be refused that looks right in its file: libp11 gives the line end away with it, and each
// start of a server then costs a try.
func (t *token) tellOfLineEnd(pin []byte, refusal error) {
	if errors.Is(refusal, store.ErrPIN) && bytes.HasSuffix(pin, []byte("\n")) {
		t.slot.provider.log.Warningf("slot %d: the PIN that was refused ends with the end of a line; if a file has it, write it there without one (printf %%s)", t.slot.id)
	}
}

// Logout logs the user out (section 5.6.10): private session objects are
// destroyed, handles of private objects become invalid.
func (p *Provider) Logout(h uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	s.token.login.Lock()
	defer s.token.login.Unlock()
	if s.token.user() == nobody {
		return CKR_USER_NOT_LOGGED_IN
	}
	s.token.logout()
	return nil
}

// logout makes the token one that nobody is logged in to; login is held.
func (t *token) logout() {
	if t.user() == nobody {
		return
	}
	t.who.Store(uint64(nobody))
	t.store.Logout()
	t.dropPrivate()
	t.leaveLogin(nil)
	t.sealDevice()
	secret.CollectKeys()
}

// isOutdated reports whether another process has initialised the token while a user was
// logged in, or given it a root: what the user's PIN opened is gone, or sealed anew.
func (t *token) isOutdated() bool { return t.user() != nobody && !t.store.Unlocked() }

// logoutOutdated logs the user out of a token that is outdated, unless that is only because it has
// got a root. The sessions go on as public ones.
func (t *token) logoutOutdated() {
	t.login.Lock()
	defer t.login.Unlock()
	if t.isOutdated() && !t.reopenRoot() {
		t.slot.provider.log.Warningf("slot %d: another process has initialised the token; its user is logged out", t.slot.id)
		t.logout()
	}
}

// authenticate is a context-specific login: it allows the one use that a
// key with CKA_ALWAYS_AUTHENTICATE waits with. A user who locks the PIN by it is logged out
// (section 4.10).
func (s *session) authenticate(pin []byte) error {
	use := s.waiting()
	if use == nil {
		return CKR_OPERATION_NOT_INITIALIZED
	}
	s.token.login.Lock()
	defer s.token.login.Unlock()
	secret, err := s.token.store.CheckPIN(store.NormalUser, pin)
	clear(secret)
	if errors.Is(err, store.ErrPINLocked) {
		s.token.logout()
	}
	if err != nil {
		return err
	}
	*use = true
	return nil
}
