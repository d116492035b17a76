// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"libzk_pkcs11/internal/damagetest"
	"libzk_pkcs11/internal/store"
)

// FuzzFiles damages a file of a token. Opening it may fail, and so may logging in, but no
// wrong PIN logs in, and what is read of a record that was sealed is what was written.
func FuzzFiles(f *testing.F) {
	s, dir, _ := initialized(f)
	if _, err := s.Login(store.NormalUser, userPIN); err != nil {
		f.Fatal(err)
	}
	for id := int64(1); id <= 5; id++ {
		put(f, s, victim(id))
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		f.Fatal(err)
	}
	for i, name := range names {
		names[i] = filepath.Base(name)
		f.Add(uint8(i), uint32(0), uint32(0), bytes.Repeat([]byte{0}, 32))
		f.Add(uint8(i), uint32(100), uint32(0), []byte{0xff})
		f.Add(uint8(i), uint32(4096), uint32(4096), []byte("x"))
		f.Add(uint8(i), uint32(0), uint32(1), []byte{})
	}
	f.Fuzz(func(t *testing.T, file uint8, at, length uint32, patch []byte) {
		damaged := damagetest.Copy(t, dir, names[int(file)%len(names)], at, length, patch)
		s, err := store.Open(damaged, store.Options{Mode: 0o600, Group: -1, Wait: 2 * time.Second})
		if err != nil {
			return
		}
		defer s.Close()
		tryDamaged(t, s)
	})
}

func tryDamaged(t *testing.T, s *store.Store) {
	_, _ = s.Token()
	if _, err := s.PeekSecret(store.NormalUser, soPIN); err == nil {
		t.Error("a wrong PIN gives a secret")
	}
	if _, err := s.Login(store.NormalUser, userPIN); err != nil {
		return
	}
	_, _, _ = s.Find(nil, func(r *store.Record) {
		if r.Sealed && r.ID > 0 && r.ID <= 5 && !bytes.Equal(r.Attributes[3], victim(r.ID).Attributes[3]) {
			t.Errorf("record %d is %q", r.ID, r.Attributes[3])
		}
	})
	_, _ = s.Update(func(tx *store.Tx) error {
		return tx.Put(&store.Record{Slot: store.NoSlot, Attributes: label("new")})
	})
}
