// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/scm"
)

// The tests of this file are of what a process sees of what others do, and of what they
// cannot keep it from.

// withheld holds a lock file as a process would that is stopped under it.
func (f *fixture) withheld(name string) (release func()) {
	f.Helper()
	lock, err := os.OpenFile(filepath.Join(f.dir, name), os.O_RDWR, 0)
	f.ok(err)
	for {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
		if err != unix.EINTR {
			break
		}
	}
	f.ok(err)
	return func() { f.ok(lock.Close()) }
}

// TestStoreIsHeld: a signature with a key that is in memory, and a look at an object that
// is, need nothing of the store, also after another process has changed it.
func TestStoreIsHeld(t *testing.T) {
	f := newUser(t)
	key := f.private(3)
	other := f.another()
	f.ok(create(other, CKO_DATA)) // the catalog of f is old
	release := f.withheld("token.db.lock")
	defer release()
	start := time.Now()
	for range 20 {
		_, err := f.sign(CKM_ECDSA, key, digest32)
		want(t, "sign", err, CKR_OK)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("20 signatures beside a store that is held took %v", took)
	}
	_, err := f.GetSessionInfo(f.h)
	want(t, "C_GetSessionInfo", err, CKR_OK)
	f.ok(f.CloseSession(f.session(0)))
}

// TestWriterIsStopped: a process that has the lock of writers keeps nobody from opening the token,
// searching and signing. Stops inside a transaction are tested in tests/sharing.
func TestWriterIsStopped(t *testing.T) {
	f := newUser(t)
	h, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true, CKA_LABEL, "seen"))
	f.ok(err)
	release := f.withheld("token.db.write")
	defer release()
	other := f.another() // opens the store, logs in and searches
	for _, x := range []*fixture{f, other} {
		if x.one(CKA_LABEL, "seen") != h && x == f {
			t.Error("the object has another handle")
		}
		_, err := x.sign(CKM_ECDSA, x.private(3), digest32)
		want(t, "sign", err, CKR_OK)
	}
}

// TestEverySearchSeesWhatIsCommitted: what another process has committed before a search
// begins is found by it, and what it has destroyed is not.
func TestEverySearchSeesWhatIsCommitted(t *testing.T) {
	f := newUser(t)
	other := f.another()
	for i := range 50 {
		label := fmt.Sprint("made by another ", i)
		h, err := other.CreateObject(other.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true, CKA_PRIVATE, i%2 == 0, CKA_LABEL, label))
		f.ok(err)
		mine := f.one(CKA_LABEL, label)
		f.reads(mine, CKA_LABEL, label)
		f.ok(other.SetAttributeValue(other.h, h, is(CKA_LABEL, label+"!")))
		if f.one(CKA_LABEL, label+"!") != mine || len(f.search(CKA_LABEL, label)) > 0 {
			t.Fatal("the change was not seen")
		}
		f.reads(mine, CKA_LABEL, label+"!")
		f.ok(other.DestroyObject(other.h, h))
		if n := len(f.search(CKA_LABEL, label+"!")); n > 0 {
			t.Fatalf("%d objects are found that are gone", n)
		}
		_, err = f.tryRead(mine, CKA_LABEL)
		want(t, "read what is gone", err, CKR_OBJECT_HANDLE_INVALID)
	}
}

// TestHandlesAreGivenUp: what others make and destroy leaves nothing in memory.
func TestHandlesAreGivenUp(t *testing.T) {
	f := newUser(t)
	other := f.another()
	f.search()
	before := len(f.token().names.slots)
	for range 30 {
		public, private := other.tokenPair(scm.P256)
		f.search()
		other.ok(other.DestroyObject(other.h, private))
		f.search()
		other.ok(other.DestroyObject(other.h, public))
		h, err := other.CreateObject(other.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true))
		f.ok(err)
		f.search()
		f.ok(other.DestroyObject(other.h, h))
	}
	f.search()
	other.search()
	for _, x := range []*fixture{f, other} {
		if n := len(x.token().names.slots); n > before {
			t.Errorf("%d handles are known, %d before", n, before)
		}
		if n := len(x.token().names.back); n > before {
			t.Errorf("%d handles are taken, %d before", n, before)
		}
		if n := len(x.token().loaded.objects); n > 0 {
			t.Errorf("%d stored objects are in memory", n)
		}
	}
}

// TestKeyDerivedAgain: the public key object that stays when the private key of a wallet
// is destroyed is another than that of the same key when it is derived again.
func TestKeyDerivedAgain(t *testing.T) {
	f := newUser(t)
	top, child := f.child("savings")
	public := f.public(int(child))
	f.ok(f.SetAttributeValue(f.h, public, is(CKA_LABEL, "kept")))
	f.ok(f.DestroyObject(f.h, f.private(int(child))))
	f.reads(public, CKA_LABEL, "kept") // under the handle that it had
	again, _, err := f.unsealed().ChildKey(top, scm.Child{Index: 1, Hardened: true})
	f.ok(err)
	f.reopen(time.Hour)
	f.token().forgetObjects()
	inSlot := f.public(int(again))
	if kept := f.one(CKA_LABEL, "kept"); kept != public || inSlot == public {
		t.Errorf("handle %d is that of the kept object, %d that of the new one, %d before", kept, inSlot, public)
	}
	f.ok(f.DestroyObject(f.h, public))
	if n := len(f.search(CKA_LABEL, "kept")); n > 0 {
		t.Error("the kept object is still there")
	}
	f.public(int(again))
}

// TestLogoutEndsPrivateObjects: no private session object survives a logout that came
// while it was made.
func TestLogoutEndsPrivateObjects(t *testing.T) {
	f := newUser(t)
	second := f.session(CKF_RW_SESSION)
	for i := range 30 {
		var all sync.WaitGroup
		all.Go(func() {
			for range 40 {
				if _, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_PRIVATE, true)); err != nil {
					return
				}
			}
		})
		time.Sleep(time.Duration(i%20) * 20 * time.Microsecond)
		f.ok(f.Logout(second))
		all.Wait()
		for _, o := range f.token().mine.table.all {
			if o.private() {
				t.Fatal("a private object is there, and nobody is logged in")
			}
		}
		f.login(CKU_USER)
	}
}

// TestValuesStayApart: the value of a private object is not in memory, and is there for
// everybody who may ask for it.
func TestValuesStayApart(t *testing.T) {
	f := newUser(t)
	token := []any{CKA_TOKEN, true, CKA_PRIVATE, true, CKA_LABEL, "apart"}
	data, err := f.CreateObject(f.h, is(append([]any{CKA_CLASS, CKO_DATA, CKA_VALUE, "of data"}, token...)...))
	f.ok(err)
	key, err := f.CreateObject(f.h, is(append([]any{CKA_CLASS, CKO_SECRET_KEY, CKA_KEY_TYPE, CKK_GENERIC_SECRET, CKA_VALUE, "of a key"}, token...)...))
	f.ok(err)
	other := f.another()
	for _, x := range []*fixture{f, other} {
		found := x.search(CKA_LABEL, "apart")
		for i, value := range []string{"of data", "of a key"} {
			if o := x.object(found[i]); o.attrs[CKA_VALUE] != nil || !o.apart {
				t.Errorf("%s: the value is in memory", value)
			}
			x.reads(found[i], CKA_VALUE, value)
			if again := x.search(CKA_VALUE, value); !slices.Equal(again, found[i:i+1]) {
				t.Errorf("%s: found %d, want %d", value, again, found[i])
			}
			if n := len(x.search(CKA_VALUE, value, CKA_LABEL, "other")) + len(x.search(CKA_VALUE, "x"+value)); n > 0 {
				t.Errorf("%s: %d objects are found by another value", value, n)
			}
			if o := x.object(found[i]); o.attrs[CKA_VALUE] != nil {
				t.Errorf("%s: the value has stayed in memory", value)
			}
		}
	}
	copied, err := f.CopyObject(f.h, data, is(CKA_LABEL, "copy"))
	f.ok(err)
	f.reads(copied, CKA_VALUE, "of data")
	f.ok(f.SetAttributeValue(f.h, data, is(CKA_VALUE, "changed")))
	f.ok(f.SetAttributeValue(f.h, data, is(CKA_APPLICATION, "kept")))
	f.reads(data, CKA_VALUE, "changed")
	f.ok(f.SetAttributeValue(f.h, key, is(CKA_LABEL, "named")))
	f.reads(key, CKA_VALUE, "of a key")
	f.ok(f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}))
	f.ok(f.DigestKey(f.h, key))
	out, digest := buffer(32)
	f.ok(f.DigestFinal(f.h, out))
	f.ok(f.DigestInit(f.h, &Mechanism{Type: CKM_SHA256}))
	out, plain := buffer(32)
	f.ok(f.Digest(f.h, []byte("of a key"), out))
	if !bytes.Equal(digest, plain) {
		t.Error("the digest of the key is not that of its value")
	}
	f.ok(f.SetAttributeValue(f.h, key, is(CKA_SENSITIVE, true)))
	_, err = f.tryRead(key, CKA_VALUE)
	want(t, "read a sensitive value", err, CKR_ATTRIBUTE_SENSITIVE)
	if n := len(f.search(CKA_VALUE, "of a key")); n > 0 {
		t.Error("a sensitive value is found")
	}
}
