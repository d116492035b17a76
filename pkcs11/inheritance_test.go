// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// memory is an Estate that can be copied, as a fork copies a process.
type memory struct {
	mu     sync.Mutex
	last   Piece
	pieces map[Piece][]byte
}

func (m *memory) Leave(instead Piece, content []byte) Piece {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(instead)
	m.last++
	m.pieces[m.last] = bytes.Clone(content)
	return m.last
}

func (m *memory) Revoke(p Piece) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(p)
}

// drop panics at a piece that is not there any more, which in C is memory of somebody else.
func (m *memory) drop(p Piece) {
	if p != 0 && m.pieces[p] == nil {
		panic("a piece is revoked twice")
	}
	delete(m.pieces, p)
}

func (m *memory) Pieces() iter.Seq2[Piece, []byte] { return maps.All(m.pieces) }

func (m *memory) fork() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{last: m.last, pieces: maps.Clone(m.pieces)}
}

// count is how many pieces of a kind there are.
func (m *memory) count(kind uint) int {
	n := 0
	for _, b := range m.pieces {
		if r := (&contentReader{rest: b}); r.readNumber() == kind {
			n++
		}
	}
	return n
}

// parent is a user whose process leaves things to its children.
type parent struct {
	*fixture
	left    *memory
	handles *atomic.Uint64
}

func newParent(t testing.TB) parent {
	t.Helper()
	p := parent{left: &memory{pieces: map[Piece][]byte{}}, handles: new(atomic.Uint64)}
	p.fixture = newPublicWith(t, Options{Estate: p.left, Handles: p.handles})
	p.login(CKU_USER)
	return p
}

// child is the provider of a child that is forked now. It has the session of the parent.
func (p parent) child() parent {
	p.Helper()
	c := parent{left: p.left.fork(), handles: new(atomic.Uint64)}
	c.handles.Store(p.handles.Load())
	c.fixture = openIn(p.TB, p.dir, Options{Estate: c.left, Handles: c.handles})
	c.h = p.h
	return c
}

func TestChildGoesOn(t *testing.T) {
	p := newParent(t)
	reading, key, public := p.session(0), p.private(14), p.public(14)
	all := slices.Sorted(slices.Values(p.search()))
	child := p.child()
	grandchild := child.child()
	for _, f := range []parent{child, grandchild} {
		for h, state := range map[uint]uint{f.h: CKS_RW_USER_FUNCTIONS, reading: CKS_RO_USER_FUNCTIONS} {
			info, err := f.GetSessionInfo(h)
			if err != nil || info.State != state || info.Slot != 0 {
				t.Errorf("session %d: %+v, %v", h, info, err)
			}
		}
		signature, err := f.sign(CKM_EDDSA, key, digest32)
		f.ok(err)
		f.ok(f.verify(CKM_EDDSA, public, digest32, signature))
		if got := slices.Sorted(slices.Values(f.search())); !slices.Equal(got, all) {
			t.Errorf("objects %d, the parent's are %d", got, all)
		}
		if n := f.token().sessions.all.Load(); n != 2 {
			t.Errorf("%d sessions", n)
		}
	}
}

// TestPublicHandles: objects have the handles of the parent although nobody is logged in,
// and those of the latest token where one was gone.
func TestPublicHandles(t *testing.T) {
	p := newParent(t)
	p.ok(p.CloseAllSessions(0))
	p.h = p.session(0)
	public := p.public(3)
	p.child().reads(public, zkSlot, 3)
	older := newContent(tokenPiece, 0, 0).appendNumber(1).appendNumber(2).appendNumber(CKU_USER).appendBytes([]byte("secret"))
	for range 10 { // for pieces come in any order
		p.left.Leave(0, older)
		p.child().reads(public, zkSlot, 3)
	}
}

// TestHandlesAfterFork: what is made after a fork has handles that name nothing else.
func TestHandlesAfterFork(t *testing.T) {
	p := newParent(t)
	closed := p.session(0)
	p.ok(p.CloseSession(closed))
	child := p.child()
	_, err := child.GetSessionInfo(closed)
	want(t, "a session that was closed before the fork", err, CKR_SESSION_HANDLE_INVALID)
	child.ok(child.CloseSession(child.h))
	want(t, "a session that the child has closed", child.CloseSession(child.h), CKR_SESSION_HANDLE_INVALID)
	p.ok(p.Logout(p.h)) // of its own
	if h := child.session(0); h <= closed {
		t.Errorf("new session %d, an old one is %d", h, closed)
	}
}

// TestSessionObjectsGoOn: with their values and keys, and under their handles.
func TestSessionObjectsGoOn(t *testing.T) {
	p := newParent(t)
	data, err := p.CreateObject(p.h, is(CKA_CLASS, CKO_DATA, CKA_LABEL, "first", CKA_VALUE, "value"))
	p.ok(err)
	p.ok(p.SetAttributeValue(p.h, data, is(CKA_LABEL, "second")))
	hidden, err := p.CreateObject(p.h, is(with(secretKey, CKA_PRIVATE, true)...))
	p.ok(err)
	gone, err := p.CreateObject(p.h, is(CKA_CLASS, CKO_DATA))
	p.ok(err)
	p.ok(p.DestroyObject(p.h, gone))
	child := p.child().child()
	child.reads(data, CKA_LABEL, "second")
	child.reads(data, CKA_VALUE, "value")
	child.reads(hidden, CKA_CLASS, CKO_SECRET_KEY)
	_, err = child.tryRead(gone, CKA_CLASS)
	want(t, "an object that was destroyed before the fork", err, CKR_OBJECT_HANDLE_INVALID)
	child.ok(child.Logout(child.h))
	_, err = child.tryRead(hidden, CKA_CLASS)
	want(t, "a private object after the logout", err, CKR_OBJECT_HANDLE_INVALID)
	p.reads(hidden, CKA_CLASS, CKO_SECRET_KEY)
	child.ok(child.CloseSession(child.h))
	if n := child.left.count(objectPiece); n != 0 {
		t.Errorf("%d objects are left of a session that is closed", n)
	}
}

func TestSessionKeysGoOn(t *testing.T) {
	p := newParent(t)
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1, scm.Ed25519, scm.X25519} {
		public, private := p.pair(c, nil, nil)
		child := p.child().child()
		if c == scm.X25519 {
			child.reads(private, CKA_DERIVE, true)
			continue
		}
		m := uint(CKM_ECDSA)
		if c == scm.Ed25519 {
			m = CKM_EDDSA
		}
		signature, err := child.sign(m, private, digest32)
		child.ok(err)
		p.ok(p.verify(m, public, digest32, signature))
		_, another := child.pair(c, nil, nil)
		if another == private {
			t.Errorf("%s: two keys with the handle %d", c, private)
		}
	}
}

// TestBegunOperationsStay with the process that began them.
func TestBegunOperationsStay(t *testing.T) {
	p := newParent(t)
	p.ok(p.SignInit(p.h, &Mechanism{Type: CKM_EDDSA}, p.private(14)))
	child := p.child()
	want(t, "in the child", child.Sign(child.h, digest32, room(64)), CKR_OPERATION_NOT_INITIALIZED)
	p.ok(p.Sign(p.h, digest32, room(64)))
}

// TestOfficerGoesOn: the login of the SO is inherited, too.
func TestOfficerGoesOn(t *testing.T) {
	p := newParent(t)
	p.ok(p.Logout(p.h))
	p.login(CKU_SO)
	child := p.child()
	child.ok(child.InitPIN(child.h, userPIN))
}

// TestLogoutsAreOnesOwn: neither process logs the other out, and old handles of private
// objects mean nothing to it any more.
func TestLogoutsAreOnesOwn(t *testing.T) {
	p := newParent(t)
	key := p.private(0)
	child := p.child()
	child.ok(child.Logout(child.h))
	child.login(CKU_USER)
	if again := child.private(0); again == key {
		t.Error("the handle of before the logout")
	}
	_, err := p.sign(CKM_ECDSA, key, digest32)
	p.ok(err)
	p.ok(p.Logout(p.h))
	later := p.child()
	info, err := later.GetSessionInfo(later.h)
	if err != nil || info.State != CKS_RW_PUBLIC_SESSION {
		t.Errorf("a child of a parent that has logged out: %+v, %v", info, err)
	}
	p.login(CKU_USER)
	if a, b := p.private(0), p.child().private(0); a != b || a == key {
		t.Errorf("the key is %d, in the child %d, and was %d", a, b, key)
	}
}

// TestTokenInitialisedMeanwhile: what the parent's login opened is gone.
func TestTokenInitialisedMeanwhile(t *testing.T) {
	p := newParent(t)
	data, err := p.CreateObject(p.h, is(CKA_CLASS, CKO_DATA, CKA_PRIVATE, true))
	p.ok(err)
	child := p.child()
	other := openIn(t, p.dir, Options{})
	other.ok(other.InitToken(0, soPIN, []byte("anew")))
	info, err := child.GetSessionInfo(child.h)
	if err != nil || info.State != CKS_RW_PUBLIC_SESSION {
		t.Errorf("%+v, %v", info, err)
	}
	_, err = child.tryRead(data, CKA_CLASS)
	want(t, "a private session object", err, CKR_OBJECT_HANDLE_INVALID)
	if child.log.count("does not hold any more") != 1 {
		t.Error("the operator is not told")
	}
}

// TestDeviceComesLater: sessions wait for a device that a child cannot open yet.
func TestDeviceComesLater(t *testing.T) {
	p := newParent(t)
	child := p.child()
	slot := child.slots[0]
	open := slot.options.Open
	slot.options.Open = func() (scm.Device, *store.Store, error) { return nil, nil, scm.ErrTimeout }
	_, err := child.GetSessionInfo(child.h)
	want(t, "without the device", err, CKR_SESSION_HANDLE_INVALID)
	grandchild := child.child()
	slot.options.Open, slot.life.failed = open, slot.life.failed.Add(-openAgain)
	for _, f := range []parent{child, grandchild} {
		_, err = f.sign(CKM_ECDSA, f.private(0), digest32)
		f.ok(err)
	}
}

// TestNothingIsLeft: what has ended is not in the estate, whatever way it ended.
func TestNothingIsLeft(t *testing.T) {
	p := newParent(t)
	for range 10 {
		p.session(0)
	}
	if n := p.left.count(sessionPiece); n != 11 {
		t.Errorf("%d sessions of 11", n)
	}
	p.ok(p.CloseAllSessions(0))
	if len(p.left.pieces) != 1 || p.left.count(tokenPiece) != 1 {
		t.Errorf("%d pieces, want who is logged in alone", len(p.left.pieces))
	}
	for _, b := range p.left.pieces {
		var h inheritance
		r := &contentReader{rest: b}
		kind := r.readNumber()
		r.readNumber() // the slot
		h.readPiece(kind, 1, r)
		if h.user != nobody || len(h.secret) != 0 {
			t.Error("a login is left")
		}
	}
	p.Close()
	if len(p.left.pieces) != 0 {
		t.Errorf("%d pieces after Close", len(p.left.pieces))
	}
}

// TestCollidingHandles: a handle that is taken is not given, and a child that has no
// table knows the one that was.
func TestCollidingHandles(t *testing.T) {
	p := newParent(t)
	token := p.token()
	o := &object{id: identity{slot: 1000}, attrs: attributes{CKA_UNIQUE_ID: []byte("x")}}
	first := hashedHandle(0, token.names.eras.public, o, 0)
	token.names.back[first] = identity{slot: 1001}
	second := token.slotHandle(o)
	if second == first || second != hashedHandle(0, token.names.eras.public, o, 1) {
		t.Errorf("handle %d beside %d", second, first)
	}
	child := p.child()
	there := &object{id: o.id, attrs: o.attrs}
	if _, err := child.GetSessionInfo(child.h); err != nil || child.token().slotHandle(there) != second {
		t.Errorf("not the handle of the parent, %d; %v", second, err)
	}
}

func TestContentCutShort(t *testing.T) {
	c := newContent(objectPiece, 3, 0).appendAttributes(attributes{CKA_LABEL: []byte("label")}).appendBytes([]byte("more"))
	for n := range len(c) {
		r := &contentReader{rest: c[:n]}
		r.readNumber()
		r.readNumber()
		r.readAttributes()
		if b := r.readBytes(); b != nil {
			t.Errorf("%d bytes of %d: %q", n, len(c), b)
		}
	}
}
