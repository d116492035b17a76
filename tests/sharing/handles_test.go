// SPDX-License-Identifier: Apache-2.0

package sharing_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// TestLogoutRace logs the user out while threads make private session objects and key
// pairs. None of them is there after the next login, and their handles lead nowhere.
func TestLogoutRace(t *testing.T) {
	k := live.New(t)
	user := k.User()
	rounds, made, survived, lead, refused := size(50, 300), 0, 0, 0, map[pkcs11.Error]int{}
	for round := range rounds {
		var all sync.WaitGroup
		makers := []*maker{{make: makeData}, {make: makeData}, {make: makePair}}
		for i, m := range makers {
			m.session = k.Public()
			all.Go(func() { m.work(k, fmt.Sprintf("race-%d-%d", round, i)) })
		}
		time.Sleep(rand.N(2 * time.Millisecond))
		k.OK(k.Logout(user))
		all.Wait()
		k.OK(k.Login(user, pkcs11.CKU_USER, harness.UserPIN))
		for _, m := range makers {
			made += len(m.made)
			refused[live.RV(m.refused)]++
			left, open := m.remains(k)
			survived, lead = survived+left, lead+open
			k.OK(k.CloseSession(m.session))
		}
	}
	t.Logf("%d logouts raced with the making of %d objects: %d survived, %d handles still led somewhere; then it was refused: %v",
		rounds, made, survived, lead, refused)
	if survived+lead != 0 {
		t.Errorf("%d private session objects survived a logout, %d handles of such", survived, lead)
	}
	if len(refused) != 1 || refused[pkcs11.CKR_USER_NOT_LOGGED_IN] == 0 {
		t.Errorf("private session objects without a login: %v", refused)
	}
}

// maker makes private session objects until it is refused.
type maker struct {
	session pkcs11.SessionHandle
	make    func(*live.Token, pkcs11.SessionHandle, string) (pkcs11.ObjectHandle, error)
	label   string
	made    []pkcs11.ObjectHandle
	refused error
}

func (m *maker) work(k *live.Token, label string) {
	m.label = label
	for m.refused == nil && len(m.made) < 10000 {
		var o pkcs11.ObjectHandle
		if o, m.refused = m.make(k, m.session, label); m.refused == nil {
			m.made = append(m.made, o)
		}
	}
}

// remains counts what is left of what was made before the logout, objects and handles.
func (m *maker) remains(k *live.Token) (objects, handles int) {
	label := pkcs11.NewAttribute(pkcs11.CKA_LABEL, m.label)
	for _, o := range m.made {
		_, err := k.GetAttributeValue(m.session, o, []*pkcs11.Attribute{label})
		if live.RV(err) != pkcs11.CKR_OBJECT_HANDLE_INVALID {
			handles++
		}
	}
	return len(k.Find(m.session, label, pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true))), handles
}

func makeData(k *live.Token, s pkcs11.SessionHandle, label string) (pkcs11.ObjectHandle, error) {
	return k.CreateObject(s, data(label, pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false), pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true)))
}

func makePair(k *live.Token, s pkcs11.SessionHandle, label string) (pkcs11.ObjectHandle, error) {
	half := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false), pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
	}
	public := append(half[:3:3], pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, live.P256))
	_, o, err := k.GenerateKeyPair(s, live.Mechanism(pkcs11.CKM_EC_KEY_PAIR_GEN), public, half)
	return o, err
}

// data is a template of data with a label, and more.
func data(label string, more ...*pkcs11.Attribute) []*pkcs11.Attribute {
	return append([]*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_DATA), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
	}, more...)
}

// TestHandlesLeadToOne has threads and another process make and destroy objects, while
// all that a process sees of them is one object for each handle, for good.
func TestHandlesLeadToOne(t *testing.T) {
	home, p := newToken(t), build(t)
	k := live.Load(t, home)
	user := k.User()
	other, err := p.user(home)
	if err != nil {
		t.Fatal(err)
	}
	known, end := handles{unique: map[pkcs11.ObjectHandle]string{}}, time.Now().Add(size(3*time.Second, time.Minute))
	var all sync.WaitGroup
	for i := range 4 {
		s := k.Public()
		all.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				o, err := k.CreateObject(s, data(fmt.Sprint("thread", i, "-", n), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, n%2 == 0)))
				if err == nil {
					err = errors.Join(known.meet(k, s, o), k.DestroyObject(s, o))
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Go(func() {
		for time.Now().Before(end) {
			if _, err := other.do("change 100 400"); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for time.Now().Before(end) {
		for _, o := range k.Find(user, pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_DATA)) {
			if err := known.meet(k, user, o); err != nil && live.RV(err) != pkcs11.CKR_OBJECT_HANDLE_INVALID {
				t.Error(err)
			}
		}
	}
	all.Wait()
	t.Logf("%d handles of data, looked at %d times, %d of them led to two objects", len(known.unique), known.looks, known.twice)
	if known.twice != 0 || len(known.unique) == 0 {
		t.Errorf("%d of %d handles led to two objects", known.twice, len(known.unique))
	}
}

// handles remembers what each handle has led to.
type handles struct {
	mu           sync.Mutex
	unique       map[pkcs11.ObjectHandle]string // CKA_UNIQUE_ID
	looks, twice int
}

func (h *handles) meet(k *live.Token, s pkcs11.SessionHandle, o pkcs11.ObjectHandle) error {
	a, err := k.GetAttributeValue(s, o, []*pkcs11.Attribute{pkcs11.NewAttribute(live.CKA_UNIQUE_ID, nil)})
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.looks++
	if before, met := h.unique[o]; met && before != string(a[0].Value) {
		h.twice++
	}
	h.unique[o] = string(a[0].Value)
	return nil
}

// TestKeyDerivedAgain destroys the private half of a key of a wallet, and another
// process derives the same key anew. Its public key object, which has stayed, and all
// others are found, each under a handle of its own.
func TestKeyDerivedAgain(t *testing.T) {
	harness.SoftOnly(t, harness.NoPlace)
	home := newToken(t)
	derive := func() (key struct{ Slot int }) {
		out := runSCM(t, home, "--json", "wallet", "child", "savings", "m/1")
		if err := json.Unmarshal([]byte(out), &key); err != nil {
			t.Fatal(err)
		}
		return key
	}
	runSCM(t, home, "wallet", "create", "savings", "--recovery", "none")
	slot := derive().Slot
	k := live.Load(t, home)
	user := k.User()
	kept := pkcs11.NewAttribute(pkcs11.CKA_LABEL, "kept")
	k.OK(k.SetAttributeValue(user, k.Key(user, pkcs11.CKO_PUBLIC_KEY, slot), []*pkcs11.Attribute{kept}))
	k.OK(k.DestroyObject(user, k.Key(user, pkcs11.CKO_PRIVATE_KEY, slot)))
	k.One(user, kept)
	slot = derive().Slot
	public := k.Find(user, pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY))
	seen := map[pkcs11.ObjectHandle]bool{}
	for _, o := range public {
		seen[o] = true
	}
	found := k.Find(user, kept)
	t.Logf("%d public keys under %d handles; %d of the one that was kept", len(public), len(seen), len(found))
	if len(found) != 1 || len(seen) != len(public) {
		t.Errorf("the public key that was kept is found %d times; %d public keys under %d handles", len(found), len(public), len(seen))
	}
	k.Key(user, pkcs11.CKO_PRIVATE_KEY, slot)
	k.Key(user, pkcs11.CKO_PUBLIC_KEY, slot)
}

// runSCM runs a command of the tool on the SCM itself.
func runSCM(t *testing.T, home *harness.Home, words ...string) string {
	t.Helper()
	return home.Run(harness.Build(t, "zk_pkcs11-util"), append([]string{"scm", "--pin", harness.UserPIN}, words...)...)
}
