// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"libzk_pkcs11/internal/store"
)

func TestNewTokenIsNotInitialized(t *testing.T) {
	s := open(t, t.TempDir())
	token, err := s.Token()
	if err != nil || token != (store.Token{}) {
		t.Errorf("Token: %+v, %v", token, err)
	}
	for _, u := range []store.User{store.SO, store.NormalUser, 2, -1} {
		if _, err := s.CheckPIN(u, userPIN); !errors.Is(err, store.ErrNoPIN) {
			t.Errorf("CheckPIN of user %d: %v, want ErrNoPIN", u, err)
		}
	}
	if err := s.SetPIN(store.NormalUser, make([]byte, 32), userPIN); !errors.Is(err, store.ErrSecret) {
		t.Errorf("SetPIN: %v, want ErrSecret", err)
	}
}

func TestInitialize(t *testing.T) {
	s := open(t, t.TempDir())
	secret, err := s.Initialize("Grüße", soPIN, store.Mate{}, store.Root{}, unprepared)
	if err != nil || len(secret) != 32 {
		t.Fatalf("Initialize: %d bytes, %v", len(secret), err)
	}
	want := store.Token{Initialized: true, Label: "Grüße", PINs: [2]store.PIN{{Set: true}, {}}}
	if token, err := s.Token(); err != nil || token != want {
		t.Errorf("Token: %+v, %v, want %+v", token, err, want)
	}
	got, err := s.CheckPIN(store.SO, soPIN)
	if err != nil || !bytes.Equal(got, secret) {
		t.Errorf("the SO PIN does not give the secret: %v", err)
	}
}

func TestInitializeAgain(t *testing.T) {
	s, _, secret := initialized(t)
	unlock(t, s)
	last := put(t, s, store.Record{Slot: store.NoSlot, Sealed: true})
	var prepared []byte
	got, err := s.Initialize("again", soPIN, store.Mate{}, store.Root{}, func(secret, _ []byte) error {
		prepared = bytes.Clone(secret)
		return nil
	})
	if err != nil || bytes.Equal(got, secret) || !bytes.Equal(got, prepared) {
		t.Fatalf("secret %x after %x, prepared %x, %v", got, secret, prepared, err)
	}
	if n := len(records(t, s)); n != 0 {
		t.Errorf("%d records are left", n)
	}
	if pinOf(t, s, store.NormalUser).Set {
		t.Error("the user PIN is still set")
	}
	_, err = s.Update(func(tx *store.Tx) error { return tx.Put(&store.Record{Slot: store.NoSlot, Sealed: true}) })
	if !errors.Is(err, store.ErrLocked) {
		t.Errorf("Put: %v, want ErrLocked", err)
	}
	if id := put(t, s, store.Record{Slot: store.NoSlot}); id <= last {
		t.Errorf("ID %d after %d", id, last)
	}
}

func TestInitializeRefuses(t *testing.T) {
	s, _, _ := initialized(t)
	fault := errors.New("the device refuses")
	for name, test := range map[string]struct {
		label   string
		prepare error
		want    error
	}{
		"long label":        {strings.Repeat("x", 33), nil, store.ErrLabel},
		"binary label":      {"\xff\xfe", nil, store.ErrLabel},
		"device that fails": {"label", fault, fault},
	} {
		_, err := s.Initialize(test.label, soPIN, store.Mate{}, store.Root{}, func(_, _ []byte) error { return test.prepare })
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	token, err := s.Token()
	if err != nil || token.Label != "token" || !token.PINs[store.NormalUser].Set {
		t.Errorf("the token has changed: %+v, %v", token, err)
	}
}

// A process that is logged in while another initialises the token holds keys of
// the past.
func TestInitializedByAnother(t *testing.T) {
	s, dir, secret := initialized(t)
	unlock(t, s)
	if _, err := open(t, dir).Initialize("other", soPIN, store.Mate{}, store.Root{}, unprepared); err != nil {
		t.Fatal(err)
	}
	_, err := s.Update(func(tx *store.Tx) error { return tx.Put(&store.Record{Slot: 1}) })
	if !errors.Is(err, store.ErrLocked) {
		t.Errorf("Put: %v, want ErrLocked", err)
	}
	for name, given := range map[string][]byte{"given": secret, "of the store": nil} {
		if err := s.SetPIN(store.SO, given, userPIN); !errors.Is(err, store.ErrSecret) {
			t.Errorf("SetPIN with the secret %s: %v, want ErrSecret", name, err)
		}
	}
	if s.Unlocked() {
		t.Error("the store is unlocked with a secret of the past")
	}
	if token, err := s.Token(); err != nil || token.Label != "other" {
		t.Errorf("Token: %+v, %v", token, err)
	}
}

func TestDestroy(t *testing.T) {
	s, dir, _ := initialized(t)
	if err := errors.Join(store.Destroy(dir), store.Destroy(dir)); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := s.CheckPIN(store.SO, soPIN); err == nil {
		t.Error("CheckPIN of a destroyed token succeeded")
	}
}

func BenchmarkToken(b *testing.B) {
	s, _, _ := initialized(b)
	for b.Loop() {
		if _, err := s.Token(); err != nil {
			b.Fatal(err)
		}
	}
}
