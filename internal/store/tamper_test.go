// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"libzk_pkcs11/internal/store"
)

// Each statement is what somebody who may write the file but knows no PIN could do. The
// records with the IDs 1 and 5 are sealed, 2 and 4 public, 3 is of a key slot; all were
// written by an unlocked store, and have Values.
var tamperings = []struct {
	name, statement string
	damaged         []int64 // of which nothing can be read
	values          []int64 // of which only the Values cannot
}{
	{"attributes of a sealed record", "UPDATE records SET attributes = zeroblob(60) WHERE id = 1", []int64{1}, nil},
	{"attributes of a public record", "UPDATE records SET attributes = x'' WHERE id = 2", []int64{2}, nil},
	{"slot", "UPDATE records SET slot = 4 WHERE id = 3", []int64{3}, nil},
	{"public key", "UPDATE records SET public = x'00' WHERE id = 3", []int64{3}, nil},
	{"half", "UPDATE records SET private = 1 WHERE id = 3", []int64{3}, nil},
	{"hidden", "UPDATE records SET hidden = 1", []int64{1, 2, 3, 4, 5}, nil},
	{"unsealed", "UPDATE records SET sealed = 0 WHERE id = 1", []int64{1}, nil},
	{"no code", "UPDATE records SET code = x''", []int64{1, 3, 5}, nil},
	{"exchanged", `UPDATE records SET (attributes, code, digest, apart) =
		(SELECT attributes, code, digest, apart FROM records WHERE id = 2) WHERE id = 3`, []int64{3}, nil},
	{"exchanged sealed records", `UPDATE records SET (attributes, code, digest, apart) =
		(SELECT attributes, code, digest, apart FROM records WHERE id = 1) WHERE id = 5`, []int64{5}, nil},
	{"a claim to a key", `INSERT INTO records (id, slot, private, sealed, hidden, public, attributes, code)
		VALUES (9, 5, 0, 0, 0, x'', x'', x'')`, []int64{9}, nil},
	{"values", "UPDATE records SET apart = zeroblob(60) WHERE id IN (1, 2)", nil, []int64{1, 2}},
	{"no values", "UPDATE records SET apart = NULL WHERE id IN (1, 2)", nil, []int64{1, 2}},
	{"values of another", `UPDATE records SET apart = (SELECT apart FROM records WHERE id = 1) WHERE id = 5`, nil, []int64{5}},
	{"values of another with their digest", `UPDATE records SET (apart, digest) =
		(SELECT apart, digest FROM records AS other WHERE other.id = records.id - 2) WHERE id IN (4, 5)`, []int64{4, 5}, nil},
	{"attributes for values", `UPDATE records SET apart = attributes WHERE id = 1`, nil, []int64{1}},
	{"values for attributes", `UPDATE records SET attributes = apart WHERE id IN (1, 2)`, []int64{1, 2}, nil},
	{"digest of no values", "UPDATE records SET digest = x''", []int64{1, 2, 3, 4, 5}, nil},
	{"back to format 1", "UPDATE records SET digest = NULL, terms = NULL", []int64{1, 2, 3, 4, 5}, nil},
}

func TestTampering(t *testing.T) {
	for _, test := range tamperings {
		t.Run(test.name, func(t *testing.T) {
			s, dir, _ := initialized(t)
			unlock(t, s)
			for id := int64(1); id <= 5; id++ {
				put(t, s, victim(id))
			}
			edit(t, dir, test.statement)
			got, damaged := read(t, s)
			if !slices.Equal(damaged, test.damaged) {
				t.Errorf("damaged are %v, want %v", damaged, test.damaged)
			}
			for _, r := range got {
				want := victim(r.ID)
				if slices.Contains(test.damaged, r.ID) || !bytes.Equal(r.Attributes[3], want.Attributes[3]) {
					t.Errorf("record %d is still there: %+v", r.ID, r)
				}
				checkTampered(t, s, r.ID, slices.Contains(test.values, r.ID))
			}
		})
	}
}

// victim is the record that gets an ID.
func victim(id int64) store.Record {
	text := string(rune('a' + id))
	r := store.Record{Slot: store.NoSlot, Sealed: id == 1 || id == 5, Attributes: label(text), Values: label("value of " + text)}
	if id == 3 {
		r.Slot, r.Public = 3, []byte("key")
	}
	return r
}

func checkTampered(t *testing.T, s *store.Store, id int64, damaged bool) {
	t.Helper()
	values, err := s.Values(id)
	if damaged != errors.Is(err, store.ErrNoRecord) {
		t.Errorf("values of record %d: %v", id, err)
	}
	if !damaged && !bytes.Equal(values[3], victim(id).Values[3]) {
		t.Errorf("record %d has the values %v, damaged %v", id, values, damaged)
	}
	_, err = s.Update(func(tx *store.Tx) error {
		_, err := tx.Current(&store.Record{ID: id})
		return err
	})
	if damaged != errors.Is(err, store.ErrNoRecord) {
		t.Errorf("Current of record %d: %v", id, err)
	}
}

// What somebody has put into the file must not get a code because a part of the record is
// written again.
func TestPutBlessesNothing(t *testing.T) {
	for _, statement := range []string{
		"UPDATE records SET (apart, digest) = (SELECT apart, digest FROM records WHERE id = 2) WHERE id = 4",
		"UPDATE records SET (apart, digest) = (SELECT apart, digest FROM records WHERE id = 1) WHERE id = 5",
	} {
		s, dir, _ := initialized(t)
		unlock(t, s)
		for id := int64(1); id <= 5; id++ {
			put(t, s, victim(id))
		}
		edit(t, dir, statement)
		for _, id := range []int64{4, 5} {
			r := victim(id)
			r.ID, r.Values, r.Apart = id, nil, true
			_, _ = s.Update(func(tx *store.Tx) error { return tx.Put(&r) })
			if values, err := s.Values(id); err == nil && !bytes.Equal(values[3], victim(id).Values[3]) {
				t.Errorf("%s: record %d has the values %v", statement, id, values)
			}
		}
	}
}
