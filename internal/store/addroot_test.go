// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/store"
)

// toFormat2 makes a token's file one of format 2.
func toFormat2(t *testing.T, dir string) {
	t.Helper()
	edit(t, dir, `ALTER TABLE token DROP COLUMN root; ALTER TABLE token DROP COLUMN secret_fingerprint;
		ALTER TABLE token DROP COLUMN stale; DROP TABLE own; DROP TABLE recovery; PRAGMA user_version = 2`)
}

// TestAddRootToFormat2: a token of format 2 is taken over, and its first root changes nothing of what
// the records say. What was sealed without it is in no file afterwards.
func TestAddRootToFormat2(t *testing.T) {
	s, dir, _ := initialized(t)
	unlock(t, s)
	many := []store.Record{
		{Slot: store.NoSlot, Sealed: true, Attributes: label("first"), Values: label("value"), Terms: []store.Term{term(3, "first")}},
		{Slot: 3, Private: true, Sealed: true, Public: []byte("key"), Attributes: label("of a key")},
		{Slot: store.NoSlot, Attributes: label("public"), Values: label("value"), Terms: []store.Term{term(3, "public")}},
	}
	for i := range many {
		many[i].ID = put(t, s, many[i])
	}
	blobs := [][]byte{blobOf(t, dir, "SELECT attributes FROM records WHERE id = 1"),
		blobOf(t, dir, "SELECT apart FROM records WHERE id = 1"), blobOf(t, dir, "SELECT attributes FROM records WHERE id = 2")}
	before := changes(t, s, 0).Revision
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	toFormat2(t, dir)
	s = open(t, dir)
	unlock(t, s)
	if !s.HasRoot() || len(records(t, s)) != 3 {
		t.Error("the token of format 2 is not open")
	}
	if err := s.AddRoot(aRoot(), unchangedTerms); err != nil {
		t.Fatal(err)
	}
	for _, blob := range blobs {
		if inFiles(t, dir, blob) {
			t.Error("a file holds what was sealed without the root")
		}
	}
	for _, again := range []bool{false, true} {
		if again {
			s = open(t, dir)
			unlock(t, s)
			if err := s.OpenRoot(aRoot().Plain); err != nil {
				t.Fatal(err)
			}
		}
		got := records(t, s)
		if len(got) != 3 || changes(t, s, 0).Revision != before {
			t.Fatalf("%+v, revision %d was %d", got, changes(t, s, 0).Revision, before)
		}
		for i, r := range got {
			if string(r.Attributes[3]) != string(many[i].Attributes[3]) || !r.Authentic {
				t.Errorf("%+v, want %+v", r, many[i])
			}
		}
		if values, err := s.Values(1); err != nil || string(values[3]) != "value" {
			t.Errorf("%v, %v", values, err)
		}
		if found := idsOf(find(t, s, term(3, "first"))); !slices.Equal(found, []int64{1}) {
			t.Errorf("its label finds %v", found)
		}
	}
	if err := s.AddRoot(aRoot(), unchanged); !errors.Is(err, store.ErrOutdated) {
		t.Errorf("a second root: %v", err)
	}
}

// unchangedTerms has labels be terms.
func unchangedTerms(r *store.Record) error {
	r.Terms = []store.Term{{Type: 3, Value: r.Attributes[3]}}
	return nil
}

// TestAddRootToOldToken: the same for a token of version 0.1.0.
func TestAddRootToOldToken(t *testing.T) {
	dir := copyOld(t)
	s := open(t, dir)
	unlockOld(t, s)
	if err := s.AddRoot(aRoot(), divide); err != nil {
		t.Fatal(err)
	}
	checkRootedOld(t, dir)
}

// checkRootedOld checks that nothing of the old token is lost, once it has its root.
func checkRootedOld(t *testing.T, dir string) {
	t.Helper()
	s := open(t, dir)
	unlockOld(t, s)
	if err := s.OpenRoot(aRoot().Plain); err != nil {
		t.Fatal(err)
	}
	if err := s.Reindex(divide); err != nil {
		t.Fatal(err)
	}
	checkReindexed(t, s, true)
	checkOldSlots(t, s, true)
	checkOldValues(t, s)
}

// TestAddRootLeavesDamage: what was damaged stays so, and nothing else is.
func TestAddRootLeavesDamage(t *testing.T) {
	s, dir, _ := initialized(t)
	unlock(t, s)
	for range 4 {
		put(t, s, store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("private"), Values: label("value")})
	}
	edit(t, dir, "UPDATE records SET attributes = zeroblob(60) WHERE id = 2; UPDATE records SET apart = zeroblob(60) WHERE id = 3")
	if err := s.AddRoot(aRoot(), unchanged); err != nil {
		t.Fatal(err)
	}
	got, damaged := read(t, s)
	if len(got) != 3 || !slices.Equal(damaged, []int64{2}) {
		t.Errorf("%+v, damaged %v", got, damaged)
	}
	for id, whole := range map[int64]bool{1: true, 3: false, 4: true} {
		if _, err := s.Values(id); (err == nil) != whole {
			t.Errorf("values of %d: %v", id, err)
		}
	}
}

// TestAddRootFails: nothing has changed then.
func TestAddRootFails(t *testing.T) {
	s, dir, _ := initialized(t)
	unlock(t, s)
	for range 3 {
		put(t, s, store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("private")})
	}
	fault, calls := errors.New("fault"), 0
	err := s.AddRoot(aRoot(), func(*store.Record) error {
		if calls++; calls == 2 {
			return fault
		}
		return nil
	})
	other := open(t, dir)
	unlock(t, other)
	locked, failed := other.LockedRoot()
	if err != fault || failed != nil || len(locked) != 0 || !s.Unlocked() || len(records(t, s)) != 3 || len(records(t, other)) != 3 {
		t.Errorf("%v, %v, root %q, %d and %d records", err, failed, locked, len(records(t, s)), len(records(t, other)))
	}
}

// TestKilledAddRoot: a process that is killed while it gives the old token its root leaves one that
// has it or has not.
func TestKilledAddRoot(t *testing.T) {
	const sealed = 5 // records of the old token
	for i := range 12 {
		dir := copyOld(t)
		p := processtest.Start(t, "add root", dir)
		if got := p.Hear(); got != "unlocked" {
			t.Fatal(got)
		}
		p.Tell("now")
		for n := range min(i+1, sealed) { // at each record, and then while it is committed
			if p.Hear(); n < i {
				p.Tell("next")
			}
		}
		if i > sealed {
			time.Sleep(rand.N(20 * time.Millisecond))
		}
		p.Kill()
		s := open(t, dir)
		unlockOld(t, s)
		locked, err := s.LockedRoot()
		if err != nil {
			t.Fatal(err)
		}
		if len(locked) == 0 {
			err = s.AddRoot(aRoot(), divide)
		}
		if err != nil {
			t.Fatal(err)
		}
		checkRootedOld(t, dir)
	}
}

// addRoot tells of each sealed record that it comes to, and waits.
func addRoot(dir string, in *bufio.Scanner) error {
	s, err := store.Open(dir, options())
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.Login(store.NormalUser, oldUserPIN); err != nil {
		return err
	}
	fmt.Println("unlocked")
	in.Scan()
	err = s.AddRoot(aRoot(), func(r *store.Record) error {
		fmt.Println(r.ID)
		in.Scan()
		return divide(r)
	})
	fmt.Println(err)
	in.Scan()
	return nil
}

// TestStaleIsPurged: where others keep what was sealed without the root in the file's log, or
// the process is killed before it has seen to it, the next login does.
func TestStaleIsPurged(t *testing.T) {
	s, dir, _ := initialized(t)
	unlock(t, s)
	put(t, s, store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("private")})
	blob := blobOf(t, dir, "SELECT attributes FROM records WHERE id = 1")
	err := s.WhileRead(func() error { return s.AddRoot(aRoot(), unchanged) })
	if err != nil || !inFiles(t, dir, blob) {
		t.Fatalf("%v: the test shows nothing unless a file holds what was sealed without the root", err)
	}
	s = open(t, dir)
	for range 2 {
		if _, err := s.LockedRoot(); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Count("SELECT stale FROM token"); err != nil || n != 0 || inFiles(t, dir, blob) {
			t.Errorf("%v: stale is %d, and a file holds what was sealed without the root", err, n)
		}
	}
}

// TestAddRootOnFullDisk: everything is as it was, and there is a root once there is room.
func TestAddRootOnFullDisk(t *testing.T) {
	dir := smallDisk(t)
	s := open(t, dir)
	secret, err := s.Initialize("token", soPIN, store.Mate{}, store.Root{}, unprepared)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetCheapPIN(store.NormalUser, secret, userPIN); err != nil {
		t.Fatal(err)
	}
	unlock(t, s)
	for range 50 { // more than fits into what a change may take of the room that is kept
		put(t, s, store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("private"), Values: map[uint64][]byte{3: make([]byte, 4000)}})
	}
	fillDisk(t, dir)
	if err := s.AddRoot(aRoot(), unchanged); !errors.Is(err, store.ErrFull) {
		t.Errorf("AddRoot: %v, want ErrFull", err)
	}
	if locked, err := s.LockedRoot(); err != nil || len(locked) > 0 || len(records(t, s)) != 50 {
		t.Errorf("root %q, %v, %d records", locked, err, len(records(t, s)))
	}
	if err := os.Remove(filepath.Join(dir, "filling")); err != nil {
		t.Fatal(err)
	}
	if err := s.AddRoot(aRoot(), unchanged); err != nil || len(records(t, s)) != 50 {
		t.Errorf("with room: %v, %d records", err, len(records(t, s)))
	}
}
