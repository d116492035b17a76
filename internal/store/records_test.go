// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/store"
)

var kinds = []store.Record{
	{Slot: store.NoSlot, Attributes: label("public object")},
	{Slot: store.NoSlot, Sealed: true, Attributes: label("private object")},
	{Slot: 0, Public: []byte("public key"), Attributes: label("public half")},
	{Slot: 0, Private: true, Sealed: true, Public: []byte("public key"), Attributes: label("private half")},
	{Slot: 527, Hidden: true, Public: []byte("other key"), Attributes: map[uint64][]byte{}},
}

func TestRecordsOfEveryKind(t *testing.T) {
	s, dir, _ := initialized(t)
	unlock(t, s)
	want := slices.Clone(kinds)
	for i := range want {
		want[i].ID = put(t, s, want[i])
	}
	reader := open(t, dir)
	checkLocked(t, reader, want)
	unlock(t, reader)
	if got := records(t, reader); !equal(got, want) {
		t.Errorf("unlocked store: %v, want %v", got, want)
	}
	reader.Logout()
	checkLocked(t, reader, want)
}

// checkLocked checks that a locked store shows of sealed records those of key slots only,
// and no attributes.
func checkLocked(t *testing.T, s *store.Store, of []store.Record) {
	t.Helper()
	want := slices.DeleteFunc(slices.Clone(of), func(r store.Record) bool { return r.Sealed && r.Slot == store.NoSlot })
	for i := range want {
		if want[i].Sealed {
			want[i].Attributes = nil
		}
	}
	if got := records(t, s); !equal(got, want) {
		t.Errorf("locked store: %v, want %v", got, want)
	}
}

func equal(a, b []store.Record) bool {
	return slices.EqualFunc(a, b, func(a, b store.Record) bool {
		public := bytes.Equal(a.Public, b.Public)
		a.Public, b.Public = nil, nil
		a.Authentic, b.Authentic = false, false
		return public && reflect.DeepEqual(a, b)
	})
}

func TestLockedStoreWritesOnlyPublicObjects(t *testing.T) {
	s, _, _ := initialized(t)
	for _, r := range kinds {
		_, err := s.Update(func(tx *store.Tx) error { return tx.Put(&r) })
		if public := !r.Sealed && r.Slot == store.NoSlot; public != (err == nil) || (!public && !errors.Is(err, store.ErrLocked)) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	unlock(t, s)
	if n := len(records(t, s)); n != 1 {
		t.Errorf("%d records; want the public one", n)
	}
}

func TestReplaceAndDelete(t *testing.T) {
	s, _, _ := initialized(t)
	a, b := put(t, s, kinds[0]), put(t, s, kinds[0])
	r := store.Record{ID: a, Slot: store.NoSlot, Attributes: label("changed")}
	if put(t, s, r) != a {
		t.Error("replacing a record has changed its ID")
	}
	if _, err := s.Update(func(tx *store.Tx) error { return tx.Delete(b) }); err != nil {
		t.Fatal(err)
	}
	if got := records(t, s); !equal(got, []store.Record{r}) {
		t.Errorf("got %v, want %v", got, r)
	}
	if c := put(t, s, kinds[0]); c <= b {
		t.Errorf("ID %d after %d has been deleted", c, b)
	}
	for name, change := range map[string]func(*store.Tx) error{
		"Put":    func(tx *store.Tx) error { return tx.Put(&store.Record{ID: b, Slot: store.NoSlot}) },
		"Delete": func(tx *store.Tx) error { return tx.Delete(b) },
	} {
		if _, err := s.Update(change); !errors.Is(err, store.ErrNoRecord) {
			t.Errorf("%s of a deleted record: %v, want ErrNoRecord", name, err)
		}
	}
}

// TestCurrent reads records in a transaction, in which other processes cannot
// change them.
func TestCurrent(t *testing.T) {
	s, dir, _ := initialized(t)
	unlock(t, s)
	plain := put(t, s, store.Record{Slot: store.NoSlot, Attributes: label("plain")})
	sealed := put(t, s, store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("sealed")})
	put(t, s, store.Record{Slot: 3, Public: []byte("key"), Attributes: label("public half")})
	put(t, s, store.Record{Slot: 3, Public: []byte("key"), Private: true, Attributes: label("private half")})
	damaged := put(t, s, store.Record{Slot: store.NoSlot, Attributes: label("damaged")})
	edit(t, dir, "UPDATE records SET hidden = 1 WHERE id = ?", damaged)
	for _, test := range []struct {
		name         string
		record       store.Record
		label        string
		open, locked error
	}{
		{"by ID", store.Record{ID: plain, Slot: store.NoSlot}, "plain", nil, nil},
		{"sealed", store.Record{ID: sealed, Slot: store.NoSlot}, "sealed", nil, store.ErrLocked},
		{"public half", store.Record{Slot: 3}, "public half", nil, nil},
		{"private half", store.Record{Slot: 3, Private: true}, "private half", nil, nil},
		{"no such ID", store.Record{ID: 1000, Slot: store.NoSlot}, "", store.ErrNoRecord, store.ErrNoRecord},
		{"no such slot", store.Record{Slot: 4}, "", store.ErrNoRecord, store.ErrNoRecord},
		{"damaged", store.Record{ID: damaged, Slot: store.NoSlot}, "damaged", store.ErrNoRecord, nil},
	} {
		unlock(t, s)
		checkCurrent(t, s, test.name, test.record, test.label, test.open)
		s.Logout()
		checkCurrent(t, s, test.name+", locked", test.record, test.label, test.locked)
	}
}

func checkCurrent(t *testing.T, s *store.Store, name string, r store.Record, wanted string, failure error) {
	t.Helper()
	_, err := s.Update(func(tx *store.Tx) error {
		now, err := tx.Current(&r)
		if err == nil && string(now.Attributes[3]) != wanted {
			t.Errorf("%s: got %q, want %q", name, now.Attributes[3], wanted)
		}
		return err
	})
	if !errors.Is(err, failure) {
		t.Errorf("%s: error %v, want %v", name, err, failure)
	}
}

// A slot may have got another key between the removal of its key and that of the
// records.
func TestDeleteSlotSparesOtherKeys(t *testing.T) {
	s, _, _ := initialized(t)
	unlock(t, s)
	for _, r := range kinds {
		put(t, s, r)
	}
	tests := []struct {
		slot   int
		public string
		left   int
	}{{0, "another key", 5}, {0, "public key", 3}, {527, "", 3}, {527, "other key", 2}}
	for _, tt := range tests {
		if _, err := s.Update(func(tx *store.Tx) error { return tx.DeleteSlot(tt.slot, []byte(tt.public)) }); err != nil {
			t.Fatal(err)
		}
		if n := len(records(t, s)); n != tt.left {
			t.Errorf("slot %d, %q: %d records are left, want %d", tt.slot, tt.public, n, tt.left)
		}
	}
}

func TestFailedUpdateWritesNothing(t *testing.T) {
	s, _, _ := initialized(t)
	failure := errors.New("failure of the caller")
	_, err := s.Update(func(tx *store.Tx) error {
		return errors.Join(tx.Put(&store.Record{Slot: store.NoSlot}), failure)
	})
	if !errors.Is(err, failure) {
		t.Errorf("Update: %v, want the caller's error", err)
	}
	if n := len(records(t, s)); n != 0 {
		t.Errorf("%d records", n)
	}
}

func TestChangeFitsVersion(t *testing.T) {
	s, dir, _ := initialized(t)
	before := s.Version()
	change, err := s.Update(func(tx *store.Tx) error { return tx.Put(&store.Record{Slot: store.NoSlot}) })
	if err != nil || change.Before != before || change.After != s.Version() {
		t.Errorf("Change %+v, %v; Version was %d and is %d", change, err, before, s.Version())
	}
	p := processtest.Start(t, "put", dir)
	p.Tell("from another process")
	if got := p.Hear(); got != "<nil>" {
		t.Fatal(got)
	}
	if s.Version() == change.After {
		t.Error("Version has not changed with another process's record")
	}
	if got := records(t, s); len(got) != 2 || string(got[1].Attributes[3]) != "from another process" {
		t.Errorf("got %v", got)
	}
}

func TestBadEncodingIsDamaged(t *testing.T) {
	s, dir, _ := initialized(t)
	id := put(t, s, kinds[0])
	edit(t, dir, "UPDATE records SET attributes = x'0102'")
	if got, damaged := read(t, s); len(got) != 0 || !slices.Equal(damaged, []int64{id}) {
		t.Errorf("got %v, damaged %v", got, damaged)
	}
}

func TestFilesRevealNothing(t *testing.T) {
	canary, value := []byte("canary of a private object"), []byte("value of a private object")
	s, dir, secret := initialized(t)
	unlock(t, s)
	sealed := put(t, s, store.Record{
		Slot: store.NoSlot, Sealed: true, Attributes: label(string(canary)), Values: label(string(value)),
		Terms: []store.Term{{Type: 3, Value: canary}},
	})
	put(t, s, store.Record{Slot: store.NoSlot, Attributes: label("public text")})
	checkFiles(t, dir, map[string][]byte{
		"canary": canary, "value": value, "secret": secret, "SO PIN": soPIN, "user PIN": userPIN,
		"hash of a term": hashOf(3, canary),
	}, []byte("public text"))

	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	thief := open(t, copied)
	if got := records(t, thief); len(got) != 1 || got[0].Sealed {
		t.Errorf("a copy without a PIN gives %v", got)
	}
	for name, err := range map[string]error{"Record": second(thief.Record(sealed)), "Values": last(thief.Values(sealed))} {
		if !errors.Is(err, store.ErrLocked) {
			t.Errorf("a copy without a PIN: %s: %v", name, err)
		}
	}
	unlock(t, thief)
	if got := records(t, thief); len(got) != 2 || !bytes.Equal(got[0].Attributes[3], canary) {
		t.Errorf("a copy with the PIN gives %v", got)
	}
}

func second(_ *store.Record, _ uint64, err error) error { return err }

func last(_ map[uint64][]byte, err error) error { return err }

// hashOf is how the file holds a term of a record that is not sealed.
func hashOf(kind uint64, value []byte) []byte {
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, kind), value...))
	return sum[:8]
}

// checkFiles fails the test when one of the forbidden strings is in any file, or
// the public one, which shows that the search works, in none.
func checkFiles(t *testing.T, dir string, forbidden map[string][]byte, public []byte) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found = found || bytes.Contains(content, public)
		for name, f := range forbidden {
			if bytes.Contains(content, f) {
				t.Errorf("%s holds the %s", e.Name(), name)
			}
		}
	}
	if !found {
		t.Error("no file holds the public text")
	}
}

func TestReadOnlyStore(t *testing.T) {
	dir := processtest.PublicDir(t)
	s := open(t, dir)
	secret, err := s.Initialize("token", soPIN, store.Mate{}, store.Root{}, unprepared)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetPIN(store.NormalUser, secret, userPIN); err != nil {
		t.Fatal(err)
	}
	put(t, s, kinds[0])
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	p := processtest.Start(t, "describe", dir, processtest.Unprivileged(t))
	if got, want := p.Hear(), "true <nil> wrong PIN 1 true"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func BenchmarkPut(b *testing.B) {
	for _, sealed := range []bool{false, true} {
		name := map[bool]string{false: "public", true: "sealed"}[sealed]
		b.Run(name, func(b *testing.B) {
			s, _, _ := initialized(b)
			unlock(b, s)
			for b.Loop() {
				put(b, s, store.Record{Slot: store.NoSlot, Sealed: sealed, Attributes: label("benchmark")})
			}
		})
	}
}
