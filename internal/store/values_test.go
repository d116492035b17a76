// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"testing"

	"libzk_pkcs11/internal/store"
)

func valuesOf(t testing.TB, s *store.Store, id int64) string {
	t.Helper()
	values, err := s.Values(id)
	if err != nil {
		t.Fatal(err)
	}
	return string(values[3])
}

// change writes a record over one that there is.
func change(t testing.TB, s *store.Store, r store.Record) {
	t.Helper()
	if _, err := s.Update(func(tx *store.Tx) error { return tx.Put(&r) }); err != nil {
		t.Fatal(err)
	}
}

func TestValuesAreKeptApart(t *testing.T) {
	s, dir, _ := initialized(t)
	unlock(t, s)
	for _, r := range kinds {
		r.Values = label("value")
		id := put(t, s, r)
		got, _, err := s.Record(id)
		if err != nil || got.Values != nil || !got.Apart || string(got.Attributes[3]) != string(r.Attributes[3]) {
			t.Errorf("Record: %+v, %v", got, err)
		}
		if got := valuesOf(t, s, id); got != "value" {
			t.Errorf("Values: %q", got)
		}
		change(t, s, store.Record{ID: id, Slot: r.Slot, Private: r.Private, Sealed: r.Sealed})
		if got, _, err := s.Record(id); err != nil || got.Apart {
			t.Errorf("without values: %+v, %v", got, err)
		}
		if values, err := s.Values(id); err != nil || len(values) != 0 {
			t.Errorf("without values: %v, %v", values, err)
		}
	}
	if inFiles(t, dir, []byte("private value")) {
		t.Error("a file holds a sealed value")
	}
	if _, err := s.Values(1000); !errors.Is(err, store.ErrNoRecord) {
		t.Errorf("Values of no record: %v", err)
	}
}

// Put keeps the values that are there, whatever else of the record changes.
func TestPutKeepsValues(t *testing.T) {
	s, dir, _ := initialized(t)
	unlock(t, s)
	id := put(t, s, store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("a"), Values: label("value")})
	sealed := blobOf(t, dir, "SELECT apart FROM records")
	for _, r := range []store.Record{
		{Slot: store.NoSlot, Sealed: true, Attributes: label("b")},
		{Slot: store.NoSlot, Sealed: true, Hidden: true, Attributes: label("b")},
		{Slot: store.NoSlot, Attributes: label("c")},
		{Slot: 7, Public: []byte("key"), Attributes: label("d")},
		{Slot: store.NoSlot, Sealed: true, Attributes: label("e")},
	} {
		r.ID, r.Apart = id, true
		change(t, s, r)
		got, _, err := s.Record(id)
		if err != nil || string(got.Attributes[3]) != string(r.Attributes[3]) || !got.Apart {
			t.Errorf("after %+v: %+v, %v", r, got, err)
		}
		if got := valuesOf(t, s, id); got != "value" {
			t.Errorf("after %+v: %q", r, got)
		}
		if !r.Sealed && !inFiles(t, dir, []byte("value")) {
			t.Errorf("after %+v: the value is in no file: the test shows nothing", r)
		}
	}
	if string(sealed) == string(blobOf(t, dir, "SELECT apart FROM records")) {
		t.Error("a value that was public in between is sealed as before")
	}
}

func TestPutKeepsNoValuesOfOthers(t *testing.T) {
	s, _, _ := initialized(t)
	put(t, s, store.Record{Slot: store.NoSlot, Values: label("value")})
	for _, r := range []store.Record{{ID: 1000, Slot: store.NoSlot, Apart: true}} {
		if _, err := s.Update(func(tx *store.Tx) error { return tx.Put(&r) }); !errors.Is(err, store.ErrNoRecord) {
			t.Errorf("Put: %v, want ErrNoRecord", err)
		}
	}
	id := put(t, s, store.Record{Slot: store.NoSlot, Apart: true})
	if values, err := s.Values(id); err != nil || len(values) != 0 {
		t.Errorf("a new record has the values %v, %v", values, err)
	}
}

func TestCurrentHasValues(t *testing.T) {
	s, _, _ := initialized(t)
	unlock(t, s)
	for _, sealed := range []bool{false, true} {
		id := put(t, s, store.Record{Slot: store.NoSlot, Sealed: sealed, Attributes: label("a"), Values: label("value")})
		_, err := s.Update(func(tx *store.Tx) error {
			now, err := tx.Current(&store.Record{ID: id})
			if err != nil || string(now.Values[3]) != "value" || !now.Apart {
				t.Errorf("Current: %+v, %v", now, err)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
