// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/store"
)

// smallDisk mounts a disk of 2 MB.
func smallDisk(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=2m,mode=755"); err != nil {
		t.Skipf("no disk to fill: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// fillDisk writes to a file until not a byte is left.
func fillDisk(t *testing.T, dir string) {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, "filling"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for size := 1 << 16; size > 0; {
		if _, err := file.Write(make([]byte, size)); errors.Is(err, unix.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(file, "x"); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
}

func TestFullDisk(t *testing.T) {
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
	id := fill(t, s, 0, 50)
	s.Logout()
	fillDisk(t, dir)
	for name, s := range map[string]*store.Store{"open": s, "opened anew": open(t, dir)} {
		fail(t, s, 2)
		if got := pinOf(t, s, store.NormalUser).Failures; got != 2 {
			t.Errorf("%s: %d failures, want 2", name, got)
		}
		unlock(t, s)
		if got := find(t, s, labelOf(7)); len(got) != 1 {
			t.Errorf("%s: found %v", name, got)
		}
	}
	failed := fillStore(s)
	if !errors.Is(failed, store.ErrFull) {
		t.Errorf("Put: %v, want ErrFull", failed)
	}
	kept := store.Record{Slot: store.NoSlot, Attributes: label("kept")}
	_, err = s.Release(func(tx *store.Tx) error {
		if err := tx.Delete(id); err != nil {
			return err
		}
		return tx.Put(&kept)
	})
	if err != nil {
		t.Errorf("Release: %v", err)
	}
	if _, _, err := s.Record(id); !errors.Is(err, store.ErrNoRecord) {
		t.Errorf("Record: %v", err)
	}
	if got, _, err := s.Record(kept.ID); err != nil || string(got.Attributes[3]) != "kept" {
		t.Errorf("Record: %+v, %v", got, err)
	}
}

// fillStore puts records until that fails.
func fillStore(s *store.Store) (err error) {
	for i := 0; err == nil && i < 1000; i++ {
		r := numbered(i)
		_, err = s.Update(func(tx *store.Tx) error { return tx.Put(&r) })
	}
	return err
}
