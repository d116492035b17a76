// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"math/rand/v2"
	"testing"
)

// model is what the provider should know of its sessions and their operations.
// It is written from the specification and shares no code with the provider.
type model struct {
	user     uint // who is logged in
	sessions map[uint]*modelSession
	handles  []uint // the handles, in the order in which they were opened
}

type modelSession struct {
	rw     bool
	active map[operationKind]bool
	parts  map[operationKind]bool
}

type operationKind int

const (
	digesting operationKind = iota
	signature
	searching
)

// state is the CKS_ of a session.
func (m *model) state(s *modelSession) uint {
	switch {
	case m.user == CKU_SO:
		return CKS_RW_SO_FUNCTIONS
	case m.user == CKU_USER && s.rw:
		return CKS_RW_USER_FUNCTIONS
	case m.user == CKU_USER:
		return CKS_RO_USER_FUNCTIONS
	case s.rw:
		return CKS_RW_PUBLIC_SESSION
	}
	return CKS_RO_PUBLIC_SESSION
}

func (m *model) readOnly() bool {
	for _, s := range m.sessions {
		if !s.rw {
			return true
		}
	}
	return false
}

// opened is the result of C_OpenSession.
func (m *model) opened(rw bool) Error {
	if m.user == CKU_SO && !rw {
		return CKR_SESSION_READ_WRITE_SO_EXISTS
	}
	return CKR_OK
}

func (m *model) closed(h uint) Error {
	if m.sessions[h] == nil {
		return CKR_SESSION_HANDLE_INVALID
	}
	delete(m.sessions, h)
	if len(m.sessions) == 0 {
		m.user = nobody
	}
	return CKR_OK
}

func (m *model) loggedIn(h, user uint) Error {
	switch {
	case m.sessions[h] == nil:
		return CKR_SESSION_HANDLE_INVALID
	case m.user == user:
		return CKR_USER_ALREADY_LOGGED_IN
	case m.user != nobody:
		return CKR_USER_ANOTHER_ALREADY_LOGGED_IN
	case user == CKU_SO && m.readOnly():
		return CKR_SESSION_READ_ONLY_EXISTS
	}
	m.user = user
	return CKR_OK
}

func (m *model) loggedOut(h uint) Error {
	switch {
	case m.sessions[h] == nil:
		return CKR_SESSION_HANDLE_INVALID
	case m.user == nobody:
		return CKR_USER_NOT_LOGGED_IN
	}
	m.user = nobody
	return CKR_OK
}

func (m *model) began(h uint, k operationKind) Error {
	s := m.sessions[h]
	switch {
	case s == nil:
		return CKR_SESSION_HANDLE_INVALID
	case s.active[k]:
		return CKR_OPERATION_ACTIVE
	}
	s.active[k], s.parts[k] = true, false
	return CKR_OK
}

func (m *model) part(h uint, k operationKind) Error {
	s := m.sessions[h]
	switch {
	case s == nil:
		return CKR_SESSION_HANDLE_INVALID
	case !s.active[k]:
		return CKR_OPERATION_NOT_INITIALIZED
	}
	s.parts[k] = true
	return CKR_OK
}

// ended is the result of what ends an operation, whole for a function that takes
// all data at once.
func (m *model) ended(h uint, k operationKind, whole bool) Error {
	s := m.sessions[h]
	switch {
	case s == nil:
		return CKR_SESSION_HANDLE_INVALID
	case !s.active[k]:
		return CKR_OPERATION_NOT_INITIALIZED
	}
	s.active[k] = false
	if whole && s.parts[k] {
		return CKR_OPERATION_ACTIVE
	}
	return CKR_OK
}

// machine makes the calls that bytes spell, and holds each result against the
// model.
type machine struct {
	*fixture
	model
	input []byte
}

func (m *machine) next() byte {
	if len(m.input) == 0 {
		return 0
	}
	b := m.input[0]
	m.input = m.input[1:]
	return b
}

// handle picks a session, open or not.
func (m *machine) handle() uint {
	if n := len(m.handles); n > 0 {
		return m.handles[int(m.next())%n]
	}
	return uint(m.next())
}

func (m *machine) openOne() {
	rw := m.next()%2 == 0
	flags := uint(CKF_SERIAL_SESSION)
	if rw {
		flags |= CKF_RW_SESSION
	}
	h, err := m.OpenSession(0, flags)
	want(m, "C_OpenSession", err, m.opened(rw))
	if err == nil {
		m.handles = append(m.handles, h)
		m.sessions[h] = &modelSession{rw, map[operationKind]bool{}, map[operationKind]bool{}}
	}
}

// logIn keeps to the right PIN: others take long and lock it.
func (m *machine) logIn() {
	h, user, pin := m.handle(), uint(CKU_USER), userPIN
	if m.next()%4 == 0 {
		user, pin = CKU_SO, soPIN
	}
	want(m, "C_Login", m.Login(h, user, pin), m.loggedIn(h, user))
}

func (m *machine) describe() {
	h := m.handle()
	info, err := m.GetSessionInfo(h)
	s := m.sessions[h]
	if s == nil {
		want(m, "C_GetSessionInfo", err, CKR_SESSION_HANDLE_INVALID)
		return
	}
	want(m, "C_GetSessionInfo", err, CKR_OK)
	if info.State != m.state(s) {
		m.Errorf("state %d, want %d", info.State, m.state(s))
	}
}

// beginSigning signs with a session's own key, when the user is logged in.
func (m *machine) beginSigning() {
	h := m.handle()
	s := m.sessions[h]
	err := m.SignInit(h, &Mechanism{Type: CKM_ECDSA_SHA256}, m.signingKey(h))
	switch {
	case s == nil || s.active[signature] || m.user == CKU_USER:
		want(m, "C_SignInit", err, m.began(h, signature))
	default:
		want(m, "C_SignInit", err, CKR_KEY_HANDLE_INVALID)
	}
}

// signingKey is the private key in slot 0, as far as the session sees it.
func (m *machine) signingKey(h uint) uint {
	found, err := m.KeysInSlot(h, 0)
	if err != nil || len(found) < 2 {
		return 0
	}
	return found[1]
}

// endSigning makes what ends a signature: it needs the login under which it began.
func (m *machine) endSigning(whole bool) {
	h := m.handle()
	var err error
	if whole {
		err = m.Sign(h, digest32, room(64))
	} else {
		err = m.SignFinal(h, room(64))
	}
	wanted := m.ended(h, signature, whole)
	if wanted == CKR_OK && (err == error(CKR_USER_NOT_LOGGED_IN) && m.user != CKU_USER || err == error(CKR_FUNCTION_FAILED)) {
		return // logged out, or out and in again
	}
	want(m, "C_Sign or C_SignFinal", err, wanted)
}

// steps are the calls that a byte can spell.
var steps = []func(*machine){
	(*machine).openOne,
	func(m *machine) { h := m.handle(); want(m, "C_CloseSession", m.CloseSession(h), m.closed(h)) },
	(*machine).logIn,
	func(m *machine) { h := m.handle(); want(m, "C_Logout", m.Logout(h), m.loggedOut(h)) },
	(*machine).describe,
	func(m *machine) {
		h := m.handle()
		want(m, "C_DigestInit", m.DigestInit(h, &Mechanism{Type: CKM_SHA256}), m.began(h, digesting))
	},
	func(m *machine) {
		h := m.handle()
		want(m, "C_DigestUpdate", m.DigestUpdate(h, digest32), m.part(h, digesting))
	},
	func(m *machine) {
		h := m.handle()
		want(m, "C_Digest", m.Digest(h, digest32, room(32)), m.ended(h, digesting, true))
	},
	func(m *machine) {
		h := m.handle()
		want(m, "C_DigestFinal", m.DigestFinal(h, room(32)), m.ended(h, digesting, false))
	},
	(*machine).beginSigning,
	func(m *machine) {
		h := m.handle()
		want(m, "C_SignUpdate", m.SignUpdate(h, digest32), m.part(h, signature))
	},
	func(m *machine) { m.endSigning(true) },
	func(m *machine) { m.endSigning(false) },
	func(m *machine) {
		h := m.handle()
		want(m, "C_FindObjectsInit", m.FindObjectsInit(h, nil), m.began(h, searching))
	},
	func(m *machine) {
		h := m.handle()
		_, err := m.FindObjects(h, make([]uint, 3))
		want(m, "C_FindObjects", err, m.part(h, searching))
	},
	func(m *machine) {
		h := m.handle()
		want(m, "C_FindObjectsFinal", m.FindObjectsFinal(h), m.ended(h, searching, false))
	},
	func(m *machine) {
		h := m.handle()
		if s := m.sessions[h]; s != nil {
			clear(s.active)
		}
		_ = m.SessionCancel(h, ^uint(0)) // an unknown session is not the model's business
	},
}

// play makes the calls that the input spells, on a token without sessions.
func play(t *testing.T, shared *fixture, input []byte) {
	mine := *shared
	mine.TB = t
	mine.ok(mine.CloseAllSessions(0))
	m := &machine{&mine, model{user: nobody, sessions: map[uint]*modelSession{}}, input}
	for len(m.input) > 0 {
		steps[int(m.next())%len(steps)](m)
	}
}

// TestCalls plays sequences at random, always the same ones.
func TestCalls(t *testing.T) {
	shared, random := newPublic(t), rand.New(rand.NewPCG(1, 1))
	for range 100 {
		input := make([]byte, 100)
		for i := range input {
			input[i] = byte(random.Uint32())
		}
		if play(t, shared, input); t.Failed() {
			t.Fatalf("input %x", input)
		}
	}
}

// FuzzCalls makes sequences of calls of a byte or two each, and holds what they
// return against the model.
func FuzzCalls(f *testing.F) {
	f.Add([]byte{0, 0, 2, 0, 1, 4, 0, 9, 0, 10, 0, 12, 0, 3, 0})
	f.Add([]byte{0, 0, 5, 0, 6, 0, 7, 0, 8, 0, 5, 0, 16, 0, 7, 0})
	f.Add([]byte{0, 0, 0, 1, 2, 0, 0, 1, 0, 1, 1, 13, 0, 14, 0, 13, 0, 15, 0})
	f.Add([]byte{0, 0, 2, 0, 1, 9, 0, 3, 0, 11, 0, 2, 0, 1, 9, 0, 3, 0, 2, 0, 1, 12, 0})
	shared := newPublic(f)
	f.Fuzz(func(t *testing.T, input []byte) { play(t, shared, input[:min(len(input), 200)]) })
}
