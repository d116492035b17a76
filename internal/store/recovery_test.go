// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"errors"
	"testing"

	"libzk_pkcs11/internal/store"
)

// aKey is a recovery key.
func aKey() []byte { return bytes.Repeat([]byte{7}, store.RecoverySize) }

// unlockRoot undoes what aRoot says that a device has done.
func unlockRoot([]byte) ([]byte, error) { return bytes.Clone(aRoot().Plain), nil }

// recoverable is rooted with aKey for recovery key, logged in.
func recoverable(t *testing.T) (s *store.Store, dir string) {
	t.Helper()
	s, dir = rooted(t)
	unlock(t, s)
	keepRecovery(t, s, aKey())
	return s, dir
}

func keepRecovery(t *testing.T, s *store.Store, key []byte) {
	t.Helper()
	o, err := s.Opening(unlockRoot)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Destroy()
	if err := s.KeepRecovery(o, key); err != nil {
		t.Fatal(err)
	}
}

// openRecovery returns what the recovery key of a token opens.
func openRecovery(t *testing.T, s *store.Store, key []byte) (store.Opening, error) {
	t.Helper()
	r, err := s.Recovery()
	if err != nil {
		t.Fatal(err)
	}
	o, err := r.Open(key)
	t.Cleanup(o.Destroy)
	return o, err
}

// TestRecovery: the key opens the secret and the root, without a PIN and without the device.
// No other does, and the one before not any more.
func TestRecovery(t *testing.T) {
	s, dir := recoverable(t)
	if err := s.OpenRoot(aRoot().Plain); err != nil {
		t.Fatal(err)
	}
	private := put(t, s, store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("private")})
	s = open(t, dir)
	o, err := openRecovery(t, s, aKey())
	if err != nil || !bytes.Equal(o.Root.Bytes(), aRoot().Plain) {
		t.Fatal(err)
	}
	if err := errors.Join(s.Unlock(o.Secret.Bytes()), s.OpenRoot(o.Root.Bytes())); err != nil {
		t.Fatal(err)
	}
	if r, _, err := s.Record(private); err != nil || string(r.Attributes[3]) != "private" {
		t.Errorf("%+v, %v", r, err)
	}
	other := bytes.Repeat([]byte{8}, store.RecoverySize)
	if _, err := openRecovery(t, s, other); !errors.Is(err, store.ErrRecovery) {
		t.Errorf("another key: %v", err)
	}
	keepRecovery(t, s, other)
	if _, err := openRecovery(t, s, aKey()); !errors.Is(err, store.ErrRecovery) {
		t.Errorf("the key before: %v", err)
	}
	if _, err := openRecovery(t, s, other); err != nil {
		t.Errorf("the new key: %v", err)
	}
}

// TestRecoveryWithoutRoot: a token without a root has a recovery key, too, until it gets one.
func TestRecoveryWithoutRoot(t *testing.T) {
	s, _, _ := initialized(t)
	unlock(t, s)
	keepRecovery(t, s, aKey())
	o, err := openRecovery(t, s, aKey())
	if err != nil || o.Root != nil {
		t.Errorf("%+v, %v", o, err)
	}
	if err := s.AddRoot(aRoot(), unchanged); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recovery(); !errors.Is(err, store.ErrNoRecovery) {
		t.Errorf("after it has got a root: %v", err)
	}
}

// TestRecoveryEnds: a new secret leaves no recovery key, and nobody keeps one for the secret before.
func TestRecoveryEnds(t *testing.T) {
	s, dir := recoverable(t)
	o, err := openRecovery(t, s, aKey())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, dir).Initialize("again", soPIN, store.Mate{}, aRoot(), unprepared); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recovery(); !errors.Is(err, store.ErrNoRecovery) {
		t.Errorf("Recovery: %v", err)
	}
	if err := s.KeepRecovery(o, aKey()); !errors.Is(err, store.ErrSecret) {
		t.Errorf("KeepRecovery: %v", err)
	}
	if err := s.Rebind(o, store.Mate{}, nil, unprepared); !errors.Is(err, store.ErrSecret) {
		t.Errorf("Rebind: %v", err)
	}
}

// TestRebind: the token is another device's at once, when that is prepared, or not at all. What it
// remembers stays, PINs and the recovery key too.
func TestRebind(t *testing.T) {
	s, dir := recoverable(t)
	public := put(t, s, store.Record{Slot: 3, Attributes: label("public")})
	o, err := openRecovery(t, s, aKey())
	if err != nil {
		t.Fatal(err)
	}
	m, failed := store.Mate{Serial: "other"}, errors.New("fails")
	if err := s.Rebind(o, m, []byte("locked anew"), func(_, _ []byte) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("a device that fails: %v", err)
	}
	if st, err := s.Pairing(); err != nil || st.Mate.Serial != "" {
		t.Errorf("%+v, %v", st, err)
	}
	var told [2][]byte
	err = s.Rebind(o, m, []byte("locked anew"), func(secret, bond []byte) error {
		told = [2][]byte{bytes.Clone(secret), bytes.Clone(bond)}
		return nil
	})
	if err != nil || !bytes.Equal(told[0], o.Secret.Bytes()) || !bytes.Equal(told[1], store.Bond(told[0], m)) {
		t.Fatalf("%v, told %x", err, told)
	}
	s = open(t, dir)
	unlock(t, s)
	locked, err := s.LockedRoot()
	if st, failed := s.Pairing(); failed != nil || st.Mate != m || !bytes.Equal(st.Bond, told[1]) || err != nil || string(locked) != "locked anew" {
		t.Errorf("%+v, %q, %v, %v", st, locked, failed, err)
	}
	if got := records(t, s); len(got) != 1 || got[0].ID != public {
		t.Errorf("records: %+v", got)
	}
	if _, err := openRecovery(t, s, aKey()); err != nil {
		t.Error(err)
	}
}
