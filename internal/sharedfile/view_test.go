// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"database/sql"
	"sync"
	"testing"

	"libzk_pkcs11/internal/processtest"
)

func TestViewCannotChange(t *testing.T) {
	f, _ := openNew(t)
	if err := f.View(increment); err == nil {
		t.Error("a change in View has not failed")
	}
	if n := mustCount(t, f); n != 0 {
		t.Errorf("counter is %d, want 0", n)
	}
}

// TestReadersDoNotTakeTurns: each leaves only after all have come.
func TestReadersDoNotTakeTurns(t *testing.T) {
	f, path := openNew(t)
	outside := processtest.Start(t, "stay in view", path)
	outside.Hear()
	var group, inside sync.WaitGroup
	inside.Add(4)
	for range 4 {
		group.Go(func() {
			err := f.View(func(*sql.Tx) error {
				inside.Done()
				inside.Wait()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := outside.End(); err != nil {
		t.Error(err)
	}
}

func TestMoreReadersThanConnections(t *testing.T) {
	f, _ := openNew(t)
	var group sync.WaitGroup
	for range 30 {
		group.Go(func() {
			for range 20 {
				if _, err := count(f); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

// TestViewBesideAWriter: readers see what is committed, in the middle of a change of
// their own process or of another, and keep the state that they saw first.
func TestViewBesideAWriter(t *testing.T) {
	path := newPath(t)
	f, g, h := open(t, path), open(t, path), open(t, path)
	err := f.View(func(tx *sql.Tx) error {
		err := g.Update(func(tx *sql.Tx) error {
			if err := increment(tx); err != nil {
				return err
			}
			if n := mustCount(t, h); n != 0 {
				t.Errorf("counter is %d before the commit, want 0", n)
			}
			return nil
		})
		if err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow("SELECT n FROM counter").Scan(&n); err != nil || n != 0 {
			t.Errorf("counter is %d in a transaction that began before, want 0: %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if n := mustCount(t, f); n != 1 {
		t.Errorf("counter is %d, want 1", n)
	}
}
