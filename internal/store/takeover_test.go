// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/store"
)

// The token of testdata/version-0.1.0; testdata/make-version-0.1.0.sh has made it.
var (
	oldUserPIN = []byte("12345678")
	oldSOPIN   = []byte("87654321")
)

// Attributes of the old token, as the provider has written them.
const (
	ckaLabel = 0x03
	ckaValue = 0x11
	ckaID    = 0x102
)

// oldLabels are the labels of the records without a key slot, by ID.
var oldLabels = map[int64]string{
	1: "without login", 2: "public data", 3: "private data", 4: "long private data", 5: "certificate",
	6: "second certificate", 7: "public key", 8: "secret",
}

// oldSealed are those of them that are sealed.
var oldSealed = []int64{3, 4, 8}

// oldSlots are the records with a key slot.
var oldSlots = []struct {
	id     int64
	slot   int
	label  string
	hidden bool
}{{9, 16, "pair", false}, {10, 16, "pair", false}, {12, 17, "second pair", false}, {13, 17, "", true}}

// copyOld copies the directory, to where everybody may read it.
func copyOld(t testing.TB) (dir string) {
	t.Helper()
	dir = processtest.PublicDir(t)
	if err := os.CopyFS(dir, os.DirFS("testdata/version-0.1.0")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func unlockOld(t testing.TB, s *store.Store) {
	t.Helper()
	if _, err := s.Login(store.NormalUser, oldUserPIN); err != nil {
		t.Fatal(err)
	}
}

// divide is how a provider completes records: labels are terms, values are apart.
func divide(r *store.Record) error {
	r.Terms = []store.Term{{Type: ckaLabel, Value: r.Attributes[ckaLabel]}, {Type: ckaID, Value: r.Attributes[ckaID]}}
	if value, ok := r.Attributes[ckaValue]; ok {
		r.Values = map[uint64][]byte{ckaValue: value}
		delete(r.Attributes, ckaValue)
	}
	return nil
}

// checkOldToken checks that nothing of the old token is lost.
func checkOldToken(t *testing.T, s *store.Store) {
	t.Helper()
	token, err := s.Token()
	want := store.Token{Initialized: true, Label: "version 0.1.0", PINs: [2]store.PIN{{Set: true}, {Set: true, Failures: 3, Low: true}}}
	if err != nil || token != want {
		t.Errorf("Token: %+v, %v, want %+v", token, err, want)
	}
	for _, unlocked := range []bool{false, true} {
		if unlocked {
			unlockOld(t, s)
		}
		want := maps.Clone(oldLabels)
		maps.DeleteFunc(want, func(id int64, _ string) bool { return !unlocked && slices.Contains(oldSealed, id) })
		got := map[int64]string{}
		for _, r := range find(t, s) {
			got[r.ID] = string(r.Attributes[ckaLabel])
			if r.Sealed != slices.Contains(oldSealed, r.ID) || r.Authentic != (r.ID != 1) {
				t.Errorf("unlocked %v: %+v", unlocked, r)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("unlocked %v: found %v, want %v", unlocked, got, want)
		}
		checkOldSlots(t, s, unlocked)
	}
}

func checkOldSlots(t *testing.T, s *store.Store, unlocked bool) {
	t.Helper()
	c := changes(t, s, 0)
	if len(c.Slots) != len(oldSlots) || len(c.Damaged) != 0 {
		t.Fatalf("unlocked %v: %+v", unlocked, c)
	}
	for i, r := range c.Slots {
		want := oldSlots[i]
		if r.Sealed && !unlocked {
			want.label = ""
		}
		if r.ID != want.id || r.Slot != want.slot || r.Hidden != want.hidden || !r.Hidden && string(r.Attributes[ckaLabel]) != want.label {
			t.Errorf("unlocked %v: %+v, want %+v", unlocked, r, want)
		}
	}
}

// oldValues are the values of records that are sealed.
func checkOldValues(t *testing.T, s *store.Store) {
	t.Helper()
	for id, want := range map[int64]string{
		1: "public value", 2: "public value", 3: "private value", 4: strings.Repeat("x", 3000),
		8: "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
	} {
		values, err := s.Values(id)
		r, _, failure := s.Record(id)
		if err != nil || failure != nil {
			t.Fatalf("record %d: %v, %v", id, err, failure)
		}
		if got := string(values[ckaValue]) + string(r.Attributes[ckaValue]); got != want {
			t.Errorf("record %d has the value %q, want %q", id, got, want)
		}
	}
}

func TestTakeOver(t *testing.T) {
	dir := copyOld(t)
	s := open(t, dir)
	checkOldToken(t, s)
	checkOldValues(t, s)
	if _, err := s.CheckPIN(store.SO, oldSOPIN); err != nil {
		t.Errorf("the SO PIN: %v", err)
	}
	checkNoOldCounts(t, dir)
	if id := put(t, s, store.Record{Slot: store.NoSlot}); id != 15 {
		t.Errorf("the next ID is %d: the last that was used is 14", id)
	}
}

func TestReindex(t *testing.T) {
	dir := copyOld(t)
	s := open(t, dir)
	before := changes(t, s, 0).Revision
	for _, unlocked := range []bool{false, true} {
		if unlocked {
			unlockOld(t, s)
		}
		if n := len(find(t, s, term(ckaLabel, "certificate"))); n < 3 {
			t.Errorf("unlocked %v: %d candidates among records without terms", unlocked, n)
		}
		if err := s.Reindex(divide); err != nil {
			t.Fatal(err)
		}
		checkReindexed(t, s, unlocked)
	}
	checkOldValues(t, s)
	for id := range oldLabels {
		r, _, err := s.Record(id)
		if err != nil || r.Authentic != (id != 1) || id == 3 && (!r.Apart || r.Attributes[ckaValue] != nil) {
			t.Errorf("record %d: %+v, %v", id, r, err)
		}
	}
	if now := changes(t, s, 0).Revision; now != before {
		t.Errorf("the revision was %d and is %d", before, now)
	}
	version := s.Version()
	if err := s.Reindex(func(r *store.Record) error { return fmt.Errorf("%+v is not complete", r) }); err != nil || s.Version() != version {
		t.Errorf("nothing is left to do: %v, version %d was %d", err, s.Version(), version)
	}
	s = open(t, dir)
	if got := pinOf(t, s, store.NormalUser).Failures; got != 0 {
		t.Errorf("%d failures after the right PIN", got)
	}
	unlockOld(t, s)
	checkReindexed(t, s, true)
}

// checkReindexed checks that labels find their records alone.
func checkReindexed(t *testing.T, s *store.Store, unlocked bool) {
	t.Helper()
	for id, label := range oldLabels {
		want := []int64{id}
		if !unlocked && slices.Contains(oldSealed, id) {
			want = []int64{}
		}
		if got := idsOf(find(t, s, term(ckaLabel, label))); !slices.Equal(got, want) {
			t.Errorf("unlocked %v: %q finds %v, want %v", unlocked, label, got, want)
		}
	}
}

// What is damaged stays so, and keeps nobody busy.
func TestReindexLeavesDamage(t *testing.T) {
	dir := copyOld(t)
	s := open(t, dir)
	edit(t, dir, "UPDATE records SET attributes = zeroblob(100) WHERE id IN (2, 3)")
	unlockOld(t, s)
	for range 2 {
		if err := s.Reindex(divide); err != nil {
			t.Fatal(err)
		}
		_, damaged, err := s.Find([]store.Term{term(ckaLabel, "public key")}, func(*store.Record) {})
		if err != nil || !slices.Equal(damaged, []int64{2, 3}) {
			t.Errorf("damaged %v, %v", damaged, err)
		}
	}
	failure := errors.New("failure of the caller")
	other := open(t, copyOld(t))
	if err := other.Reindex(func(*store.Record) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("Reindex: %v, want the caller's error", err)
	}
}

// Many records are reindexed in several transactions.
func TestReindexMany(t *testing.T) {
	const many = 700
	s, dir, _ := initialized(t)
	unlock(t, s)
	fill(t, s, 0, many)
	edit(t, dir, "UPDATE records SET terms = NULL; DELETE FROM terms")
	if n := len(find(t, s, labelOf(5))); n != many {
		t.Fatalf("%d candidates without terms", n)
	}
	complete := 0
	err := s.Reindex(func(r *store.Record) error {
		complete++
		r.Values = map[uint64][]byte{9: r.Attributes[labelType]}
		r.Terms = []store.Term{{Type: labelType, Value: r.Attributes[labelType]}}
		return nil
	})
	if err != nil || complete != many {
		t.Errorf("%d records, %v", complete, err)
	}
	if n := len(find(t, s, labelOf(5))); n != 1 {
		t.Errorf("%d candidates", n)
	}
}

// A process that dies while it takes the counts over has either the old ones or the new ones.
func TestTakeOverIsFinished(t *testing.T) {
	dir := copyOld(t)
	counts, err := os.ReadFile("testdata/version-0.1.0/pins.db")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	unlockOld(t, s)
	for name, content := range map[string][]byte{"pins.db": counts, "pins.db.lock": nil, "pins.db-wal": nil} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := pinOf(t, open(t, dir), store.NormalUser).Failures; got != 0 {
		t.Errorf("%d failures of the past are back", got)
	}
	checkNoOldCounts(t, dir)
}

func checkNoOldCounts(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, "pins.db*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left of the old counts: %v, %v", left, err)
	}
}

func TestTakeOverByManyProcesses(t *testing.T) {
	dir := copyOld(t)
	var all []*processtest.Process
	for range 4 {
		all = append(all, processtest.Start(t, "take over", dir))
	}
	for _, p := range all {
		p.Tell("now")
	}
	for _, p := range all {
		if got, want := p.Hear(), "3 failures, 8 records, <nil>"; got != want {
			t.Errorf("a process: %s, want %s", got, want)
		}
	}
	for _, p := range all {
		if err := p.End(); err != nil {
			t.Error(err)
		}
	}
	s := open(t, dir)
	unlockOld(t, s)
	checkReindexed(t, s, true)
	checkOldSlots(t, s, true)
	checkOldValues(t, s)
}

// A process that is killed while it takes over leaves the work to the next one.
func TestKilledTakeOver(t *testing.T) {
	for range 12 {
		dir := copyOld(t)
		p := processtest.Start(t, "take over", dir)
		p.Tell("now")
		time.Sleep(rand.N(80 * time.Millisecond))
		p.Kill()
		s := open(t, dir)
		if got := pinOf(t, s, store.NormalUser).Failures; got != 3 {
			t.Errorf("%d failures, want 3", got)
		}
		unlockOld(t, s)
		if err := s.Reindex(divide); err != nil {
			t.Fatal(err)
		}
		checkReindexed(t, s, true)
		checkOldSlots(t, s, true)
		checkOldValues(t, s)
		checkNoOldCounts(t, dir)
	}
}

func takeOver(dir string, in *bufio.Scanner) error {
	in.Scan()
	s, err := store.Open(dir, options())
	if err != nil {
		return err
	}
	defer s.Close()
	token, err := s.Token()
	if err != nil {
		return err
	}
	secret, err := s.PeekSecret(store.NormalUser, oldUserPIN) // a login would change the count
	if err != nil {
		return err
	}
	err = errors.Join(s.Unlock(secret), s.Reindex(divide))
	n := 0
	_, _, failure := s.Find(nil, func(*store.Record) { n++ })
	fmt.Printf("%d failures, %d records, %v\n", token.PINs[store.NormalUser].Failures, n, errors.Join(err, failure))
	in.Scan()
	return nil
}

// A process that may not write sees the old token as it is, and what others make of it.
func TestOldTokenReadOnly(t *testing.T) {
	dir := copyOld(t)
	for _, name := range []string{"token.db", "pins.db"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	p := processtest.Start(t, "look at the old token", dir, processtest.Unprivileged(t))
	want := "read-only true, 3 failures, 8 records, 4 slots, 3000 bytes, <nil>"
	if got := p.Hear(); got != want {
		t.Errorf("before: %s, want %s", got, want)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	unlockOld(t, s)
	if err := s.Reindex(divide); err != nil {
		t.Fatal(err)
	}
	p.Tell("again")
	if got, want := p.Hear(), strings.Replace(want, "3 failures", "0 failures", 1); got != want {
		t.Errorf("after: %s, want %s", got, want)
	}
}

func lookAtOldToken(s *store.Store, in *bufio.Scanner) error {
	for {
		records, size := 0, 0
		_, login := s.Login(store.NormalUser, oldUserPIN)
		_, _, find := s.Find(nil, func(*store.Record) { records++ })
		r, _, err := s.Record(4)
		if err != nil {
			return err
		}
		values, err := s.Values(4)
		if err != nil {
			return err
		}
		size = len(values[ckaValue]) + len(r.Attributes[ckaValue])
		c, err := s.ChangesSince(0)
		if err != nil {
			return err
		}
		token, err := s.Token()
		fmt.Printf("read-only %v, %d failures, %d records, %d slots, %d bytes, %v\n", s.ReadOnly(),
			token.PINs[store.NormalUser].Failures, records, len(c.Slots), size, errors.Join(login, find, err, s.Reindex(divide)))
		if !in.Scan() {
			return nil
		}
	}
}
