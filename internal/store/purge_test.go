// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/store"
)

// Somebody who learns an old PIN, or the secret, must find nothing in the files that
// it opens, once that was to be gone.
func TestDeletedIsInNoFile(t *testing.T) {
	const (
		wrapped = "SELECT wrapped FROM pins WHERE user = 1"
		sealed  = "SELECT attributes FROM records WHERE id = 1"
	)
	tests := []struct {
		name, blob string
		erase      func(*store.Store) error
	}{
		{"PIN that was changed", wrapped, func(s *store.Store) error {
			return s.SetPIN(store.NormalUser, nil, []byte("other PIN"))
		}},
		{"PIN of a token initialised again", wrapped, initializeAgain},
		{"record of a token initialised again", sealed, initializeAgain},
		{"sealed record", sealed, func(s *store.Store) error {
			_, err := s.Update(func(tx *store.Tx) error { return tx.Delete(1) })
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, dir, _ := initialized(t)
			other := open(t, dir)
			unlock(t, s)
			put(t, s, store.Record{Slot: store.NoSlot, Sealed: true, Attributes: label("sealed")})
			records(t, other) // one that has read the log does not keep it
			blob := blobOf(t, dir, tt.blob)
			if !inFiles(t, dir, blob) {
				t.Error("no file holds what is to be erased: the test shows nothing")
			}
			if err := tt.erase(s); err != nil {
				t.Fatal(err)
			}
			if inFiles(t, dir, blob) {
				t.Error("a file holds what was erased")
			}
		})
	}
}

func initializeAgain(s *store.Store) error {
	_, err := s.Initialize("again", soPIN, store.Mate{}, store.Root{}, unprepared)
	return err
}

// blobOf reads a value behind the store's back.
func blobOf(t *testing.T, dir, query string) (blob []byte) {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(dir, "token.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query).Scan(&blob); err != nil {
		t.Fatal(err)
	}
	return blob
}

func inFiles(t *testing.T, dir string, blob []byte) bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, blob) {
			return true
		}
	}
	return false
}
