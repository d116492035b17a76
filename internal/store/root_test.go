// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"errors"
	"testing"

	"libzk_pkcs11/internal/store"
)

// aRoot is a root and what stands for it as a device has locked it.
func aRoot() store.Root {
	return store.Root{Plain: bytes.Repeat([]byte{'r'}, store.RootSize), Locked: []byte("locked root")}
}

// unchanged completes no record.
func unchanged(*store.Record) error { return nil }

// rooted is initialized with a root.
func rooted(t *testing.T) (s *store.Store, dir string) {
	t.Helper()
	dir = t.TempDir()
	s = open(t, dir)
	secret, err := s.Initialize("token", soPIN, store.Mate{}, aRoot(), unprepared)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetCheapPIN(store.NormalUser, secret, userPIN); err != nil {
		t.Fatal(err)
	}
	return s, dir
}

// TestRootIsNeeded: the secret alone, which the files with the PIN give, opens no private record, and
// nor does it with another root. What is not private works without.
func TestRootIsNeeded(t *testing.T) {
	s, dir := rooted(t)
	if err := s.OpenRoot(aRoot().Plain); !errors.Is(err, store.ErrLocked) {
		t.Errorf("OpenRoot of a locked store: %v", err)
	}
	unlock(t, s)
	if locked, err := s.LockedRoot(); err != nil || string(locked) != "locked root" {
		t.Errorf("LockedRoot: %q, %v", locked, err)
	}
	if err := s.OpenRoot(aRoot().Plain); err != nil {
		t.Fatal(err)
	}
	sealed := store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("private"), Values: label("value"),
		Terms: []store.Term{term(3, "private")}}
	private, public := put(t, s, sealed), put(t, s, store.Record{Slot: 3, Attributes: label("public")})

	s = open(t, dir)
	unlock(t, s)
	for _, wrong := range [][]byte{nil, make([]byte, store.RootSize), []byte("locked root")} {
		if err := s.OpenRoot(wrong); !errors.Is(err, store.ErrRoot) {
			t.Errorf("OpenRoot(%x): %v, want ErrRoot", wrong, err)
		}
	}
	if !s.Unlocked() || s.HasRoot() {
		t.Errorf("unlocked %v, root %v", s.Unlocked(), s.HasRoot())
	}
	if got := records(t, s); len(got) != 1 || got[0].ID != public || !got[0].Authentic {
		t.Errorf("without the root there are %+v", got)
	}
	_, _, err := s.Record(private)
	_, values := s.Values(private)
	_, writing := s.Update(func(tx *store.Tx) error { return tx.Put(&store.Record{Slot: store.NoSlot, Sealed: true}) })
	for what, err := range map[string]error{"Record": err, "Values": values, "Put": writing} {
		if !errors.Is(err, store.ErrRoot) {
			t.Errorf("%s: %v, want ErrRoot", what, err)
		}
	}
	if there, err := s.Sealed([]store.Term{term(3, "other")}); err != nil || !there {
		t.Errorf("Sealed: %v, %v: nobody can tell", there, err)
	}
	if err := s.OpenRoot(aRoot().Plain); err != nil || len(records(t, s)) != 2 || !s.HasRoot() {
		t.Errorf("with the root: %v, %+v", err, records(t, s))
	}
	if got := find(t, s, term(3, "private")); len(got) != 1 {
		t.Errorf("by its label %d records are found", len(got))
	}
}

// TestPINsOfRooted: other PINs open what there was.
func TestPINsOfRooted(t *testing.T) {
	s, dir := rooted(t)
	unlock(t, s)
	if err := s.OpenRoot(aRoot().Plain); err != nil {
		t.Fatal(err)
	}
	put(t, s, store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("private")})
	if err := s.SetPIN(store.NormalUser, nil, []byte("another PIN")); err != nil {
		t.Fatal(err)
	}
	other := open(t, dir)
	if _, err := other.Login(store.NormalUser, []byte("another PIN")); err != nil {
		t.Fatal(err)
	}
	if err := other.OpenRoot(aRoot().Plain); err != nil || len(records(t, other)) != 1 {
		t.Errorf("%v, %d records", err, len(records(t, other)))
	}
}

// TestRootOfAnother: a process that is unlocked while another gives the token a root neither loses nor
// spoils anything, and goes on once it has opened the root.
func TestRootOfAnother(t *testing.T) {
	s, dir, _ := initialized(t)
	unlock(t, s)
	put(t, s, store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("first")})
	other := open(t, dir)
	unlock(t, other)
	fingerprint := blobOf(t, dir, "SELECT fingerprint FROM token")
	if err := other.AddRoot(aRoot(), unchanged); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(blobOf(t, dir, "SELECT fingerprint FROM token"), fingerprint) {
		t.Error("a program that knows format 2 only would not notice")
	}
	if lacks, err := s.LacksRoot(); err != nil || !lacks || s.Unlocked() {
		t.Errorf("it lacks the root: %v, %v, unlocked %v", lacks, err, s.Unlocked())
	}
	_, err := s.Update(func(tx *store.Tx) error { return tx.Put(&store.Record{Slot: store.NoSlot, Sealed: true}) })
	if !errors.Is(err, store.ErrLocked) {
		t.Errorf("Put: %v, want ErrLocked", err)
	}
	if err := s.AddRoot(aRoot(), unchanged); !errors.Is(err, store.ErrOutdated) {
		t.Errorf("AddRoot: %v, want ErrOutdated", err)
	}
	if got, damaged := read(t, s); len(got)+len(damaged) != 0 {
		t.Errorf("%+v, damaged %v", got, damaged)
	}
	if err := s.OpenRoot(aRoot().Plain); err != nil || !s.Unlocked() {
		t.Fatalf("OpenRoot: %v, unlocked %v", err, s.Unlocked())
	}
	put(t, s, store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("second")})
	if len(records(t, s)) != 2 || len(records(t, other)) != 2 {
		t.Errorf("%+v and %+v", records(t, s), records(t, other))
	}
	if _, err := other.Initialize("again", soPIN, store.Mate{}, aRoot(), unprepared); err != nil {
		t.Fatal(err)
	}
	if err := s.OpenRoot(aRoot().Plain); !errors.Is(err, store.ErrSecret) {
		t.Errorf("OpenRoot of a token initialised again: %v", err)
	}
	if lacks, err := s.LacksRoot(); err != nil || lacks {
		t.Errorf("a token initialised again lacks no root: %v, %v", lacks, err)
	}
}

// TestRootTakenOut: somebody who takes the root out of the file makes private records unreadable, and no room for
// another root.
func TestRootTakenOut(t *testing.T) {
	s, dir := rooted(t)
	unlock(t, s)
	edit(t, dir, "UPDATE token SET root = x''")
	if err := s.AddRoot(aRoot(), unchanged); !errors.Is(err, store.ErrRoot) {
		t.Errorf("AddRoot: %v, want ErrRoot", err)
	}
	if _, err := open(t, dir).Initialize("again", soPIN, store.Mate{}, store.Root{}, unprepared); err != nil {
		t.Fatal(err)
	}
	if err := s.AddRoot(aRoot(), unchanged); !errors.Is(err, store.ErrSecret) {
		t.Errorf("AddRoot to a token initialised again: %v, want ErrSecret", err)
	}
}

func TestOpening(t *testing.T) {
	s, _ := rooted(t)
	gives := func(root []byte) func([]byte) ([]byte, error) {
		return func(locked []byte) ([]byte, error) {
			if string(locked) != "locked root" {
				t.Errorf("the device is to unlock %q", locked)
			}
			return bytes.Clone(root), nil
		}
	}
	if _, err := s.Opening(gives(aRoot().Plain)); !errors.Is(err, store.ErrLocked) {
		t.Errorf("of a locked store: %v", err)
	}
	secret, err := s.Login(store.NormalUser, userPIN)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.OpenRoot(aRoot().Plain); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Opening(gives(secret)); !errors.Is(err, store.ErrRoot) {
		t.Errorf("with the root of another device: %v", err)
	}
	o, err := s.Opening(gives(aRoot().Plain))
	if err != nil || !bytes.Equal(o.Secret.Bytes(), secret) || !bytes.Equal(o.Root.Bytes(), aRoot().Plain) {
		t.Errorf("%x, %x, %v", o.Secret.Bytes(), o.Root.Bytes(), err)
	}
	o.Destroy()
	if o.Root.Bytes() != nil || o.Secret.Bytes() != nil {
		t.Error("they are there still")
	}
	s, _, _ = initialized(t)
	unlock(t, s)
	if o, err := s.Opening(nil); err != nil || o.Root != nil || len(o.Secret.Bytes()) == 0 {
		t.Errorf("without a root: %+v, %v", o, err)
	}
}

// TestRootReadOnly: a user who may not write can open the root, and adds none.
func TestRootReadOnly(t *testing.T) {
	s, dir := rooted(t)
	unlock(t, s)
	if err := s.OpenRoot(aRoot().Plain); err != nil {
		t.Fatal(err)
	}
	put(t, s, store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("private")})
	o := options()
	o.ReadOnly = true
	reader, err := store.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	unlock(t, reader)
	if err := reader.OpenRoot(aRoot().Plain); err != nil || len(records(t, reader)) != 1 {
		t.Errorf("%v, %d records", err, len(records(t, reader)))
	}
	plain, plainDir, _ := initialized(t)
	if err := plain.Close(); err != nil {
		t.Fatal(err)
	}
	reader, err = store.Open(plainDir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	unlock(t, reader)
	if err := reader.AddRoot(aRoot(), unchanged); !errors.Is(err, store.ErrReadOnly) || !reader.HasRoot() {
		t.Errorf("AddRoot: %v, want ErrReadOnly", err)
	}
}
