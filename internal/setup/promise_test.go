// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"iter"
	"maps"
	"path/filepath"
	"sync"
	"testing"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/pkcs11"
)

// estate is what a process leaves to its children, in memory.
type estate struct {
	mu     sync.Mutex
	last   pkcs11.Piece
	pieces map[pkcs11.Piece][]byte
}

func (e *estate) Leave(instead pkcs11.Piece, content []byte) pkcs11.Piece {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last++
	delete(e.pieces, instead)
	e.pieces[e.last] = append([]byte{}, content...)
	return e.last
}

func (e *estate) Revoke(left pkcs11.Piece) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.pieces, left)
}

func (e *estate) Pieces() iter.Seq2[pkcs11.Piece, []byte] { return maps.All(e.pieces) }

// fork returns what a child has.
func (e *estate) fork() *estate {
	e.mu.Lock()
	defer e.mu.Unlock()
	return &estate{last: e.last, pieces: maps.Clone(e.pieces)}
}

// forks is a process whose soft SCM is not made, and whose children inherit.
type forks struct {
	*testing.T
	options pkcs11.Options
	state   string
}

func newForks(t *testing.T) forks {
	c := settings(t, config.BackendSoft, "")
	state := filepath.Join(c.Slots[0].State, "a", "b")
	c.State, c.Slots[0].State, c.Source.Drawn = state, state, "drawn"
	return forks{t, Options(c, nil, Process{}), state}
}

// process is a provider with what its parent has left.
func (f forks) process(left *estate) *pkcs11.Provider {
	f.options.Estate = left
	p := pkcs11.New(f.options)
	f.Cleanup(func() { _ = p.Close() })
	return p
}

func (f forks) promised(p *pkcs11.Provider) uint {
	f.Helper()
	h, err := p.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		f.Fatal(err)
	}
	return h
}

// TestChildInheritsPromise: a session that is promised is promised to a child, too, which makes
// nothing by looking at it and closing it.
func TestChildInheritsPromise(t *testing.T) {
	f := newForks(t)
	left := &estate{pieces: map[pkcs11.Piece][]byte{}}
	h := f.promised(f.process(left))
	for name, closeIt := range map[string]func(p *pkcs11.Provider) error{
		"C_CloseSession":     func(p *pkcs11.Provider) error { return p.CloseSession(h) },
		"C_CloseAllSessions": func(p *pkcs11.Provider) error { return p.CloseAllSessions(0) },
	} {
		child := f.process(left.fork())
		info, err := child.GetTokenInfo(0)
		if err != nil || info.Session != 1 {
			t.Errorf("%s: a child is told of %d sessions, %v", name, info.Session, err)
		}
		_, err = child.GetSessionInfo(h)
		if err := errors.Join(err, closeIt(child)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantMade(t, f.state, false)
		if err := child.FindObjectsInit(h, nil); !errors.Is(err, pkcs11.CKR_SESSION_HANDLE_INVALID) {
			t.Errorf("%s: a closed session answers %v", name, err)
		}
	}
	child := f.process(left.fork())
	if err := child.FindObjectsInit(h, nil); err != nil {
		t.Errorf("a child's session: %v", err)
	}
}

// TestPromisesByThreads: threads that open, look, use and close while others, of another process
// too, make the token find each session as what it is.
func TestPromisesByThreads(t *testing.T) {
	for range 2 {
		f := newForks(t)
		p := f.process(&estate{pieces: map[pkcs11.Piece][]byte{}})
		other := f.process(&estate{pieces: map[pkcs11.Piece][]byte{}})
		shared := make([]uint, 400)
		for i := range shared {
			shared[i] = f.promised(p)
		}
		var all sync.WaitGroup
		all.Go(func() { f.use(other, f.promised(other)) })
		for _, h := range shared {
			all.Go(func() { f.use(p, h) })
			all.Go(func() { f.lookAndClose(p) })
		}
		all.Wait()
		if info, err := p.GetTokenInfo(0); err != nil || info.Session != uint(len(shared)) {
			t.Errorf("%d sessions, want %d: %v", info.Session, len(shared), err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// use asks a session for what needs the token.
func (f forks) use(p *pkcs11.Provider, h uint) {
	err := p.Login(h, pkcs11.CKU_SO, []byte("12345678"))
	if !errors.Is(err, pkcs11.CKR_SESSION_READ_ONLY_EXISTS) && !errors.Is(err, pkcs11.CKR_PIN_INCORRECT) {
		f.Errorf("C_Login: %v", err)
	}
	if err := p.FindObjectsInit(h, nil); err != nil {
		f.Errorf("C_FindObjectsInit: %v", err)
	}
}

func (f forks) lookAndClose(p *pkcs11.Provider) {
	h, err := p.OpenSession(0, pkcs11.CKF_SERIAL_SESSION)
	if err == nil {
		_, err = p.GetSessionInfo(h)
	}
	if err = errors.Join(err, p.CloseSession(h)); err != nil {
		f.Errorf("look and close: %v", err)
	}
}
