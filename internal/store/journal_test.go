// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"libzk_pkcs11/internal/store"
)

// note writes entries to the journal.
func note(t *testing.T, s *store.Store, entries ...*store.Entry) {
	t.Helper()
	if _, err := s.Update(func(tx *store.Tx) error { return tx.Note(entries...) }); err != nil {
		t.Fatal(err)
	}
}

func TestJournal(t *testing.T) {
	s, dir, _ := initialized(t)
	other := open(t, dir)
	placing := &store.Entry{Kind: store.Placing, Slot: 20, Public: []byte("public key")}
	removing := &store.Entry{Kind: store.Removing, Slot: 21, Public: []byte("another"), Apart: 7}
	choosing := &store.Entry{Kind: store.Choosing, Known: []byte("known")}
	revision := changes(t, other, 0).Revision
	note(t, s, placing, removing)
	note(t, s, choosing)
	want := []*store.Entry{placing, removing, choosing}
	for _, reader := range []*store.Store{s, other, open(t, dir)} {
		got, err := reader.Journal()
		if err != nil || len(got) != len(want) {
			t.Fatalf("Journal: %v, %v", got, err)
		}
		for i, e := range got {
			w := want[i]
			if e.ID != w.ID || e.Kind != w.Kind || e.Slot != w.Slot || !bytes.Equal(e.Public, w.Public) || e.Apart != w.Apart || !bytes.Equal(e.Known, w.Known) {
				t.Errorf("entry %d is %+v, want %+v", i, e, w)
			}
		}
	}
	if now := changes(t, other, 0).Revision; now != revision {
		t.Errorf("the journal counts as a change of records: %d, was %d", now, revision)
	}
	for range 2 { // that it is gone already is no error
		if _, err := s.Relaxed(func(tx *store.Tx) error { return tx.Strike(placing, choosing) }); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := other.Journal(); err != nil || len(got) != 1 || got[0].ID != removing.ID {
		t.Errorf("Journal: %v, %v", got, err)
	}
	if err := initializeAgain(s); err != nil {
		t.Fatal(err)
	}
	if got, err := other.Journal(); err != nil || len(got) > 0 {
		t.Errorf("Journal of a token initialised again: %v, %v", got, err)
	}
}

// TestSettled: a key of which the store has a record is settled while nobody changes what is
// in its slot.
func TestSettled(t *testing.T) {
	s, _, _ := initialized(t)
	unlock(t, s)
	public := []byte("public key")
	put(t, s, store.Record{Slot: 20, Public: public, Attributes: label("x")})
	for _, test := range []struct {
		name    string
		entry   *store.Entry
		slot    int
		public  string
		settled bool
	}{
		{"remembered", nil, 20, "public key", true},
		{"another key", nil, 20, "another", false},
		{"another slot", nil, 21, "public key", false},
		{"somebody changes another slot", &store.Entry{Kind: store.Placing, Slot: 21}, 20, "public key", true},
		{"somebody removes it", &store.Entry{Kind: store.Removing, Slot: 20, Public: public}, 20, "public key", false},
		{"somebody puts another there", &store.Entry{Kind: store.Placing, Slot: 20, Public: []byte("another")}, 20, "public key", false},
		{"the device chooses", &store.Entry{Kind: store.Choosing}, 20, "public key", false},
	} {
		if test.entry != nil {
			note(t, s, test.entry)
		}
		if settled, err := s.Settled(test.slot, []byte(test.public)); err != nil || settled != test.settled {
			t.Errorf("%s: %v, %v, want %v", test.name, settled, err, test.settled)
		}
		if test.entry != nil {
			if _, err := s.Soon(time.Second, func(tx *store.Tx) error { return tx.Strike(test.entry) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	for slot, want := range map[int]bool{20: true, 21: false, store.NoSlot: false} {
		_, err := s.Update(func(tx *store.Tx) error {
			yes, err := tx.Remembers(slot)
			if yes != want {
				t.Errorf("Remembers(%d) is %v", slot, yes)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if yes, err := s.Remembers(20, public); err != nil || !yes {
		t.Errorf("Remembers: %v, %v", yes, err)
	}
}

// TestMendingIsAlone: nobody mends what others are at work on.
func TestMendingIsAlone(t *testing.T) {
	s, dir, _ := initialized(t)
	other := open(t, dir)
	first, err := s.AmongOthers()
	if err != nil {
		t.Fatal(err)
	}
	second, err := other.AmongOthers()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := other.Mending(0); !errors.Is(err, store.ErrBusy) {
			t.Errorf("Mending: %v, want ErrBusy", err)
		}
		first()
		first = second
	}
	release, err := other.Mending(0)
	if err != nil {
		t.Fatal(err)
	}
	release()
	again, err := s.AmongOthers()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Mending(time.Millisecond); !errors.Is(err, store.ErrBusy) {
		t.Errorf("Mending: %v, want ErrBusy", err)
	}
	time.AfterFunc(50*time.Millisecond, again)
	if release, err = other.Alone(); err != nil { // which waits although mending was in vain
		t.Fatal(err)
	}
	release()
	if release, err = s.AmongOthers(); err != nil {
		t.Fatal(err)
	}
	release()
}
