// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/store"
)

// The PINs of the tests' token.
var (
	soPIN   = []byte("so-87654321")
	userPIN = []byte("user-1234")
)

// fixture is a provider with one slot, on an SCM that counts calls and fails on
// request: the soft SCM, reached as openDevice says.
type fixture struct {
	*Provider
	testing.TB
	dir    string
	wait   time.Duration // how long the store waits for others
	log    *lines
	device *scmtest.Faulty // once the provider has opened it
	store  *store.Store    // once the provider has opened it
	h      uint            // a read/write session, if the fixture was made with one
}

// openIn returns a provider on the token in a directory, as a process that has
// just started would have it. The slot of the options is the fixture's.
func openIn(t testing.TB, dir string, o Options) *fixture {
	t.Helper()
	f := &fixture{TB: t, dir: dir, wait: time.Minute, log: &lines{}}
	o.Log, o.Slots = f.log, []SlotOptions{{Description: "test", Open: f.open}}
	f.Provider = New(o)
	t.Cleanup(func() {
		if f.enter() == nil { // not closed by the test
			f.leave()
			f.Close()
		}
	})
	return f
}

func (f *fixture) open() (scm.Device, *store.Store, error) {
	d, err := openDevice(f.dir, time.Hour)
	if err != nil {
		return nil, nil, err
	}
	s, err := store.Open(f.dir, store.Options{Mode: 0o600, Group: -1, Wait: f.wait})
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	f.device, f.store = scmtest.NewFaulty(d), s
	return seen(f.device), s, nil
}

// newBlank returns a provider on a token that has never been initialised.
func newBlank(t testing.TB) *fixture {
	t.Helper()
	return openIn(t, t.TempDir(), Options{})
}

// newPublic returns a provider on an initialised token with a read/write session
// that nobody is logged in to.
func newPublic(t testing.TB) *fixture {
	t.Helper()
	return newPublicWith(t, Options{})
}

func newPublicWith(t testing.TB, o Options) *fixture {
	t.Helper()
	original, err := initialised()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
		t.Fatal(err)
	}
	f := openIn(t, dir, o)
	f.h = f.session(CKF_RW_SESSION)
	return f
}

// newUser returns a provider on an initialised token with a read/write session
// that the user is logged in to.
func newUser(t testing.TB) *fixture {
	t.Helper()
	f := newPublic(t)
	f.login(CKU_USER)
	return f
}

// another returns a second provider on the same token: another process, as far
// as the token can tell. The user is logged in there.
func (f *fixture) another() *fixture {
	f.Helper()
	other := openIn(f.TB, f.dir, Options{})
	other.h = other.session(CKF_RW_SESSION)
	other.login(CKU_USER)
	return other
}

// initialised makes a directory with a token that has both PINs. It is made once
// and copied, because setting a PIN takes long on purpose.
var initialised = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "pkcs11-test")
	if err != nil {
		return "", err
	}
	f := &fixture{dir: dir, wait: time.Minute}
	p := New(Options{Slots: []SlotOptions{{Open: f.open}}})
	defer p.Close()
	if err := p.InitToken(0, soPIN, []byte("test token                      ")); err != nil {
		return dir, err
	}
	h, err := p.OpenSession(0, CKF_SERIAL_SESSION|CKF_RW_SESSION)
	if err != nil {
		return dir, err
	}
	if err := p.Login(h, CKU_SO, soPIN); err != nil {
		return dir, err
	}
	return dir, p.InitPIN(h, userPIN)
})

func TestMain(m *testing.M) {
	result := m.Run()
	if dir, _ := initialised(); dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(result)
}

// ok stops the test when a call failed.
func (f *fixture) ok(err error) {
	f.Helper()
	ok(f.TB, err)
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want reports a result that is not the code; 0 stands for CKR_OK.
func want(t testing.TB, what string, err error, code Error) {
	t.Helper()
	if code == CKR_OK && err == nil {
		return
	}
	if err != error(code) {
		t.Errorf("%s: %v, want %v", what, err, code)
	}
}

func (f *fixture) session(flags uint) uint {
	f.Helper()
	h, err := f.OpenSession(0, CKF_SERIAL_SESSION|flags)
	f.ok(err)
	return h
}

func (f *fixture) login(user uint) {
	f.Helper()
	pin := userPIN
	if user == CKU_SO {
		pin = soPIN
	}
	f.ok(f.Login(f.h, user, pin))
}

// token is the fixture's token, for a look inside.
func (f *fixture) token() *token {
	f.Helper()
	t, err := f.slots[0].token()
	f.ok(err)
	return t
}

// within does something in the fixture's session, as a function of the provider would.
func (f *fixture) within(do func(*session) error) (err error) {
	s, err := f.Provider.session(f.h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	return do(s)
}

// object is the object of a handle, for a look inside.
func (f *fixture) object(handle uint) *object {
	f.Helper()
	s, err := f.sessions.get(f.h)
	f.ok(err)
	o, err := s.findObject(handle)
	f.ok(err)
	return o
}

// records are those that the store gives away as things stand.
func (f *fixture) records() []store.Record {
	f.Helper()
	changes, err := f.store.ChangesSince(0)
	f.ok(err)
	all := changes.Slots
	_, _, err = f.store.Find(nil, func(r *store.Record) { all = append(all, *r) })
	f.ok(err)
	return all
}

// is is a template of attributes that are given as pairs of type and value:
// bool, int for a CK_ULONG, string, or []byte.
func is(pairs ...any) []Attribute {
	var list []Attribute
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, Attribute{Type: typeOf(pairs[i]), Value: value(pairs[i+1])})
	}
	return list
}

// zkSlot is CKA_ZK_SLOT, which is no int where that has 32 bits.
const zkSlot = uint(CKA_ZK_SLOT)

func typeOf(v any) uint {
	if large, is := v.(uint); is {
		return large
	}
	return uint(v.(int))
}

func value(v any) []byte {
	switch v := v.(type) {
	case bool:
		return encodeBool(v)
	case int:
		return encodeULong(uint(v))
	case uint:
		return encodeULong(v)
	case string:
		return []byte(v)
	case []byte:
		return v
	}
	panic(fmt.Sprintf("no attribute value: %T", v))
}

// search returns what a search finds.
func (f *fixture) search(template ...any) []uint {
	f.Helper()
	f.ok(f.FindObjectsInit(f.h, is(template...)))
	found := make([]uint, 10000)
	n, err := f.FindObjects(f.h, found)
	f.ok(err)
	f.ok(f.FindObjectsFinal(f.h))
	return found[:n]
}

// one returns the only object that a search finds.
func (f *fixture) one(template ...any) uint {
	f.Helper()
	found := f.search(template...)
	if len(found) != 1 {
		f.Fatalf("search found %d objects, want one", len(found))
	}
	return found[0]
}

// private and public return the objects of a key slot.
func (f *fixture) private(slot int) uint {
	f.Helper()
	return f.one(CKA_CLASS, CKO_PRIVATE_KEY, zkSlot, slot)
}

func (f *fixture) public(slot int) uint {
	f.Helper()
	return f.one(CKA_CLASS, CKO_PUBLIC_KEY, zkSlot, slot)
}

// read reads an attribute.
func (f *fixture) read(object uint, attribute uint) []byte {
	f.Helper()
	b, err := f.tryRead(object, attribute)
	if err != nil {
		f.Fatalf("%s: %v", AttributeName(attribute), err)
	}
	return b
}

func (f *fixture) tryRead(object uint, attribute uint) ([]byte, error) {
	var size uint
	q := Query{Type: attribute, Length: &size}
	if err := f.GetAttributeValue(f.h, object, []Query{q}); err != nil {
		return nil, err
	}
	q.Buffer = make([]byte, size)
	err := f.GetAttributeValue(f.h, object, []Query{q})
	return q.Buffer, err
}

// reads reports an attribute that has not the value.
func (f *fixture) reads(object uint, attribute uint, wanted any) {
	f.Helper()
	if got := f.read(object, attribute); string(got) != string(value(wanted)) {
		f.Errorf("%s is %q, want %q", AttributeName(attribute), got, value(wanted))
	}
}

// pairOn makes a key pair on a curve, with attributes for the private half
// besides.
func (f *fixture) pairOn(c scm.Curve, private ...any) (uint, uint) {
	f.Helper()
	return f.pair(c, nil, private)
}

// pair makes a key pair on a curve, both halves as the templates say.
func (f *fixture) pair(c scm.Curve, public, private []any) (uint, uint) {
	f.Helper()
	pub, priv, err := f.tryPair(c, placed(public), placed(private))
	f.ok(err)
	return pub, priv
}

func (f *fixture) tryPair(c scm.Curve, public, private []any) (uint, uint, error) {
	return f.GenerateKeyPair(f.h, &Mechanism{Type: curves[c].generate},
		append(is(CKA_EC_PARAMS, curves[c].encodeParams()), is(public...)...), is(private...))
}

// signatureSize is the length in bytes of every signature of an SCM.
const signatureSize = 64

// placed is a template which leaves open where a key pair lives as one of what the
// device can make: by the vendor's C API, no key pair of a session.
func placed(template []any) []any {
	for i := 0; i < len(template); i += 2 {
		if typeOf(template[i]) == CKA_TOKEN {
			return template
		}
	}
	if overVendor() {
		template = with(template, CKA_TOKEN, true)
	}
	return template
}

// tokenPair makes a key pair of token objects.
func (f *fixture) tokenPair(c scm.Curve) (public, private uint) {
	f.Helper()
	return f.pair(c, []any{CKA_TOKEN, true}, []any{CKA_TOKEN, true})
}

// sign signs in one part.
func (f *fixture) sign(mechanism, key uint, data []byte) ([]byte, error) {
	if err := f.SignInit(f.h, &Mechanism{Type: mechanism}, key); err != nil {
		return nil, err
	}
	out, b := buffer(signatureSize)
	err := f.Sign(f.h, data, out)
	return b[:*out.Length], err
}

// verify verifies in one part.
func (f *fixture) verify(mechanism, key uint, data, signature []byte) error {
	if err := f.VerifyInit(f.h, &Mechanism{Type: mechanism}, key); err != nil {
		return err
	}
	return f.Verify(f.h, data, signature)
}

// derive derives a session secret with another party's public key.
func (f *fixture) derive(mechanism, key uint, peer []byte, template ...any) (uint, error) {
	return f.DeriveKey(f.h, &Mechanism{Type: mechanism, Params: &ECDH1Params{KDF: CKD_NULL, Public: peer}}, key, is(template...))
}

// buffer is an Output with room for n bytes, and the bytes.
func buffer(n int) (Output[byte], []byte) {
	b := make([]byte, n)
	length := uint(n)
	return Output[byte]{Buffer: b, Length: &length}, b
}

// sizeOnly is an Output that asks for the size.
func sizeOnly() Output[byte] { return Output[byte]{Length: new(uint)} }

// lines is a Logger that keeps what it gets.
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) Errorf(format string, args ...any)   { l.add("error: "+format, args) }
func (l *lines) Warningf(format string, args ...any) { l.add("warning: "+format, args) }
func (l *lines) Infof(format string, args ...any)    { l.add("info: "+format, args) }

func (l *lines) add(format string, args []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, fmt.Sprintf(format, args...))
}

// count returns how many lines contain the text.
func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, line := range l.list {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// since returns the lines after the first n.
func (l *lines) since(n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list[n:])
}

// digest32 is a digest to sign.
var digest32 = []byte("0123456789abcdef0123456789ABCDEF")
