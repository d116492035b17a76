// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"sync/atomic"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/secret"
	"libzk_pkcs11/internal/store"
	"libzk_pkcs11/internal/turn"
)

// MinPIN and MaxPIN are how many bytes a PIN has.
const (
	MinPIN = 4
	MaxPIN = 255
)

// nobody is the login of a token that no user is logged in to.
const nobody = ^uint(0)

// token is an SCM and what is stored with it, as one process uses it.
type token struct {
	slot   *slot
	device scm.Device
	store  *store.Store

	presence
	sessions sessionCount
	// login serialises whatever changes who is logged in, and keeps sessions
	// from being opened or closed meanwhile.
	login turn.Mutex
	who   atomic.Uint64 // CKU_USER, CKU_SO or nobody
	piece Piece         // tells children who is

	// changes serialises the changes of objects, so that none is lost between
	// looking an object up and writing it.
	changes turn.Mutex
	over    []*store.Entry // of this process that are in the journal still; changes is held
	older   atomic.Bool    // an older copy was found at the login, and nothing is mended

	listed   atomic.Pointer[keyList] // nil before the first look
	catalog  atomic.Pointer[catalog] // nil before the first look
	updating turn.Mutex              // held by the one who brings the catalog up to date
	logins   atomic.Uint64           // counts logins and logouts: each sees a catalog of its own
	written  atomic.Uint64           // the version of the store after this process's last change
	loaded   loaded
	mine     sessionObjects
	mask     *secret.Mask // of the values in mine
	names    names
	nodes    nodes
	warned   warned

	foreignWanted atomic.Bool // foreign keys are among the objects

	seed seed
}

// newToken returns the token of a device and its store.
func newToken(s *slot, d scm.Device, st *store.Store) *token {
	t := &token{slot: s, device: d, store: st}
	for _, l := range []*turn.Mutex{&t.login, &t.changes, &t.updating, &t.nodes.mu} {
		l.Pause = s.provider.options.Pause
	}
	t.who.Store(uint64(nobody))
	t.seen.Store(d.Version())
	t.seenKeys.Store(never)
	t.mine, t.mask, t.warned = newSessionObjects(), secret.NewMask(), newWarned()
	t.names = newNames(eras{public: s.provider.newHandle(), private: s.provider.newHandle()}, s.provider.revoke)
	t.reindex()
	return t
}

func (t *token) close() {
	for _, s := range t.slot.provider.sessionsOf(t) {
		t.slot.provider.forget(s)
	}
	t.strikeOver()
	t.logout()
	t.withdraw()
	t.mask.Destroy()
	log := t.slot.provider.log
	if err := t.store.Close(); err != nil {
		log.Warningf("slot %d: closing the store: %v", t.slot.id, err)
	}
	if err := t.device.Close(); err != nil {
		log.Warningf("slot %d: closing the device: %v", t.slot.id, err)
	}
}

// user tells who is logged in: CKU_USER, CKU_SO or nobody.
func (t *token) user() uint { return uint(t.who.Load()) }

// TokenInfo is a CK_TOKEN_INFO. The strings are not padded.
type TokenInfo struct {
	Label        string // at most 32 bytes
	Manufacturer string // at most 32 bytes
	Model        string // at most 16 bytes
	Serial       string // at most 16 bytes
	Flags        uint

	MaxSession, Session       uint
	MaxRWSession, RWSession   uint
	MaxPIN, MinPIN            uint
	TotalPublic, FreePublic   uint
	TotalPrivate, FreePrivate uint

	Hardware Version
	Firmware Version
	UTCTime  string // 16 digits, YYYYMMDDhhmmss00; "" without a clock
}

// GetTokenInfo describes the token in a slot (section 5.5.3).
func (p *Provider) GetTokenInfo(slot uint) (info TokenInfo, err error) {
	if m, unmade := p.unmadeAbilities(slot); unmade {
		return m.unmadeInfo()
	}
	t, err := p.describedToken(slot)
	if err != nil {
		return info, err
	}
	defer t.done(&err)
	return t.tokenInfo()
}

func (t *token) tokenInfo() (TokenInfo, error) {
	d, err := t.device.Info()
	if err != nil {
		return TokenInfo{}, err
	}
	st, err := t.store.Token()
	if err != nil {
		return TokenInfo{}, err
	}
	now, err := t.utcTime()
	if err != nil {
		return TokenInfo{}, err
	}
	flags := t.tokenFlags(st)
	if now != "" {
		flags |= CKF_CLOCK_ON_TOKEN
	}
	info := infoOf(d)
	info.Label, info.Flags, info.UTCTime = st.Label, flags, now
	info.Session, info.RWSession = uint(t.sessions.all.Load()), uint(t.sessions.rw.Load())
	return info, nil
}

// infoOf describes the token of a device without what is its own.
func infoOf(d scm.Info) TokenInfo {
	return TokenInfo{
		Manufacturer: d.Manufacturer, Model: d.Model, Serial: d.Serial,
		Flags:      tokenHas,
		MaxSession: maxSessions, MaxRWSession: maxSessions,
		MaxPIN: MaxPIN, MinPIN: MinPIN,
		TotalPublic: CK_UNAVAILABLE_INFORMATION, FreePublic: CK_UNAVAILABLE_INFORMATION,
		TotalPrivate: CK_UNAVAILABLE_INFORMATION, FreePrivate: CK_UNAVAILABLE_INFORMATION,
		Firmware: firmwareVersion(d.Firmware),
	}
}

// tokenHas are the flags of every token. No state that can be saved needs a key, because
// only digests can be.
const tokenHas = CKF_RNG | CKF_LOGIN_REQUIRED | CKF_RESTORE_KEY_NOT_NEEDED

// tokenFlags are the CKF_ of a CK_TOKEN_INFO but that of the clock.
func (t *token) tokenFlags(st store.Token) uint {
	f := uint(tokenHas)
	if st.Initialized {
		f |= CKF_TOKEN_INITIALIZED
	}
	if t.store.ReadOnly() {
		f |= CKF_WRITE_PROTECTED
	}
	if st.PINs[store.NormalUser].Set {
		f |= CKF_USER_PIN_INITIALIZED
	}
	return f | pinFlags(st.PINs[store.NormalUser], CKF_USER_PIN_COUNT_LOW) |
		pinFlags(st.PINs[store.SO], CKF_SO_PIN_COUNT_LOW)
}

// pinFlags are the flags of a PIN's state: low is the one for a PIN that was
// wrong, the next two are those for the last attempt and for a locked PIN.
func pinFlags(p store.PIN, low uint) uint {
	var f uint
	for i, set := range []bool{p.Low, p.LastTry, p.Locked} {
		if set {
			f |= low << i
		}
	}
	return f
}
