// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bufio"
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/store"
)

// The PINs of the tests' token.
var (
	soPIN   = []byte("so-pin-87654321")
	userPIN = []byte("user-pin-1234")
)

// roles are what other processes do to the token whose directory they get.
var roles = map[string]processtest.Role{
	// Each line is a PIN of the user that is tried.
	"try PINs":                   withStore(tryPINs),
	"try PINs without a failure": withOptions(intolerant(), tryPINs),
	// Each line is the label of a record that is put.
	"put": withStore(func(s *store.Store, in *bufio.Scanner) error {
		for in.Scan() {
			_, err := s.Update(func(tx *store.Tx) error {
				return tx.Put(&store.Record{Slot: store.NoSlot, Attributes: label(in.Text())})
			})
			fmt.Println(err)
		}
		return nil
	}),
	// It is killed while the PIN is looked at.
	"attempt and stop": withStore(func(s *store.Store, _ *bufio.Scanner) error {
		return s.Attempt(store.NormalUser, func() {
			fmt.Println("under way")
			time.Sleep(time.Hour)
		})
	}),
	"is counted": withStore(func(s *store.Store, _ *bufio.Scanner) error {
		_, right := s.Login(store.NormalUser, userPIN)
		fmt.Println(s.ReadOnly(), right == nil, errors.Is(right, store.ErrUncounted))
		return nil
	}),
	"churn":                 withStore(churn),
	"add root":              addRoot,
	"take over":             takeOver,
	"look at the old token": withStore(lookAtOldToken),
	"describe": withStore(func(s *store.Store, in *bufio.Scanner) error {
		_, right := s.Login(store.NormalUser, userPIN)
		records := 0
		if _, _, err := s.Find(nil, func(*store.Record) { records++ }); err != nil {
			return err
		}
		_, wrong := s.CheckPIN(store.NormalUser, soPIN)
		_, update := s.Update(func(*store.Tx) error { return nil })
		fmt.Println(s.ReadOnly(), right, wrong, records, update != nil)
		return nil
	}),
}

func TestMain(m *testing.M) { processtest.Main(m, roles) }

func tryPINs(s *store.Store, in *bufio.Scanner) error {
	for in.Scan() {
		_, err := s.CheckPIN(store.NormalUser, in.Bytes())
		fmt.Println(err)
	}
	return nil
}

func withStore(do func(*store.Store, *bufio.Scanner) error) processtest.Role {
	return withOptions(options(), do)
}

func withOptions(o store.Options, do func(*store.Store, *bufio.Scanner) error) processtest.Role {
	return func(dir string, in *bufio.Scanner) error {
		s, err := store.Open(dir, o)
		if err != nil {
			return err
		}
		defer s.Close()
		return do(s, in)
	}
}

func options() store.Options {
	return store.Options{Mode: 0o644, Group: -1, Wait: time.Minute}
}

// intolerant options let the first wrong PIN lock it.
func intolerant() store.Options {
	o := options()
	o.MaxFailures = [2]int{1, 1}
	return o
}

func open(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir, options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// initialized returns a locked token with both PINs set, that of the user so that it
// takes no time, and its directory and secret.
func initialized(t testing.TB) (s *store.Store, dir string, secret []byte) {
	t.Helper()
	dir = t.TempDir()
	s = open(t, dir)
	secret, err := s.Initialize("token", soPIN, store.Mate{}, store.Root{}, unprepared)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetCheapPIN(store.NormalUser, secret, userPIN); err != nil {
		t.Fatal(err)
	}
	return s, dir, secret
}

func unlock(t testing.TB, s *store.Store) {
	t.Helper()
	if _, err := s.Login(store.NormalUser, userPIN); err != nil {
		t.Fatal(err)
	}
}

func label(text string) map[uint64][]byte { return map[uint64][]byte{3: []byte(text)} }

func put(t testing.TB, s *store.Store, r store.Record) int64 {
	t.Helper()
	if _, err := s.Update(func(tx *store.Tx) error { return tx.Put(&r) }); err != nil {
		t.Fatal(err)
	}
	return r.ID
}

// read returns all records that the store shows, in ascending order of ID, and the IDs of
// those that are damaged.
func read(t testing.TB, s *store.Store) (records []store.Record, damaged []int64) {
	t.Helper()
	c := changes(t, s, 0)
	records = c.Slots
	_, damaged, err := s.Find(nil, func(r *store.Record) { records = append(records, *r) })
	if err != nil || !c.Whole {
		t.Fatalf("Find: %v, Whole is %v", err, c.Whole)
	}
	damaged = append(damaged, c.Damaged...)
	slices.Sort(damaged)
	slices.SortFunc(records, func(a, b store.Record) int { return cmp.Compare(a.ID, b.ID) })
	return records, damaged
}

// records is read of a store in which nothing is damaged.
func records(t testing.TB, s *store.Store) []store.Record {
	t.Helper()
	records, damaged := read(t, s)
	if len(damaged) != 0 {
		t.Errorf("damaged records: %v", damaged)
	}
	return records
}

func changes(t testing.TB, s *store.Store, since uint64) *store.Changes {
	t.Helper()
	c, err := s.ChangesSince(since)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// find returns the candidates of Find.
func find(t testing.TB, s *store.Store, terms ...store.Term) (found []store.Record) {
	t.Helper()
	_, damaged, err := s.Find(terms, func(r *store.Record) { found = append(found, *r) })
	if err != nil || len(damaged) != 0 {
		t.Fatalf("Find: %v, damaged %v", err, damaged)
	}
	return found
}

func pinOf(t testing.TB, s *store.Store, u store.User) store.PIN {
	t.Helper()
	token, err := s.Token()
	if err != nil {
		t.Fatal(err)
	}
	return token.PINs[u]
}

// edit changes the file behind the store's back.
func edit(t testing.TB, dir, statement string, arguments ...any) {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(dir, "token.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement, arguments...); err != nil {
		t.Fatal(err)
	}
}

// unprepared stands for a device that takes any secret.
func unprepared(_, _ []byte) error { return nil }
