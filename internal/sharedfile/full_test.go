// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

// disks are small ones, whose directories are gone after the test. The second has blocks
// smaller than pages.
var disks = map[string]func(*testing.T) string{
	"tmpfs": func(t *testing.T) string {
		dir := t.TempDir()
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=2m,mode=755"); err != nil {
			t.Skipf("mounting a small disk: %v", err)
		}
		unmountAfter(t, dir)
		return dir
	},
	"ext4": func(t *testing.T) string {
		dir, image := t.TempDir(), filepath.Join(t.TempDir(), "image")
		if err := os.WriteFile(image, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(image, 5<<20); err != nil {
			t.Fatal(err)
		}
		for _, command := range [][]string{
			{"mkfs.ext4", "-q", "-b", "1024", "-O", "^has_journal", "-m", "0", image}, {"mount", "-o", "loop", image, dir},
		} {
			if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
				t.Skipf("making a small disk: %s: %v %s", command[0], err, out)
			}
		}
		unmountAfter(t, dir)
		return dir
	},
}

func unmountAfter(t *testing.T, dir string) {
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// onSmallDisks runs a test on each of them.
func onSmallDisks(t *testing.T, test func(t *testing.T, dir string)) {
	for name, disk := range disks {
		t.Run(name, func(t *testing.T) { test(t, disk(t)) })
	}
}

// fill takes the disk's last byte.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for size := 1 << 16; size > 0; {
		n, err := file.Write(make([]byte, size))
		if err != nil && n < size {
			size /= 2
		}
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

const bigSchema = "CREATE TABLE rows (n INTEGER PRIMARY KEY, b BLOB); CREATE TABLE gone (n)"

func openBig(t *testing.T, path string) *sharedfile.File {
	t.Helper()
	o := options()
	o.Schema = bigSchema
	return openWith(t, path, o)
}

func insert(f *sharedfile.File) error {
	return f.Update(func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO rows (b) VALUES (randomblob(20000))")
		return err
	})
}

func deleteOne(f *sharedfile.File) error {
	_, err := f.Release(func(tx *sql.Tx) ([]int, error) {
		_, err := tx.Exec("INSERT INTO gone SELECT max(n) FROM rows; DELETE FROM rows WHERE n = (SELECT max(n) FROM rows)")
		return nil, err
	})
	return err
}

func rowsOf(t *testing.T, f *sharedfile.File) (n int) {
	t.Helper()
	err := f.View(func(tx *sql.Tx) error {
		var bytes int
		err := tx.QueryRow("SELECT count(*), coalesce(sum(length(b)), 0) FROM rows").Scan(&n, &bytes)
		if err == nil && bytes != 20000*n {
			err = fmt.Errorf("%d rows have %d bytes", n, bytes)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// insertUntilFull returns how many rows the file has then.
func insertUntilFull(t *testing.T, f *sharedfile.File) int {
	t.Helper()
	n := rowsOf(t, f)
	for {
		err := insert(f)
		if errors.Is(err, sharedfile.ErrFull) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
}

// TestFullDisk has two files, as a token has, on a disk of a few megabytes.
func TestFullDisk(t *testing.T) { onSmallDisks(t, fillAndDelete) }

func fillAndDelete(t *testing.T, dir string) {
	path := filepath.Join(dir, "f")
	f := openBig(t, path)
	g := openBig(t, filepath.Join(dir, "g"))
	for range 5 {
		if err := errors.Join(insert(f), insert(g)); err != nil {
			t.Fatal(err)
		}
	}
	const deletions = 45
	rows := insertUntilFull(t, f)
	t.Logf("%d and %d rows of 20,000 bytes", rows, rowsOf(t, g))
	empty := fill(t, dir)

	for n := range deletions {
		if got := rowsOf(t, f); got != rows-n {
			t.Fatalf("%d rows, want %d", got, rows-n)
		}
		if err := errors.Join(deleteOne(f), f.Purge()); err != nil {
			t.Fatalf("deletion %d: %v", n, err)
		}
		if n%5 == 4 {
			if err := errors.Join(f.Close(), g.Close()); err != nil {
				t.Fatal(err)
			}
			f, g = openBig(t, path), openBig(t, filepath.Join(dir, "g"))
		}
		fill(t, dir)
	}
	rows -= deletions
	if got := insertUntilFull(t, f); got <= rows {
		t.Errorf("%d rows, want more than %d: what was deleted has left no room in the file", got, rows)
	}
	insertUntilFull(t, g)
	if n := rowsOf(t, g); n < 5 {
		t.Errorf("%d rows are left of 5", n)
	}
	if err := errors.Join(deleteOne(g), deleteOne(f)); err != nil {
		t.Error(err)
	}

	empty()
	if err := errors.Join(insert(f), insert(g)); err != nil {
		t.Fatal(err)
	}
	checkRoom(t, path)
	checkRoom(t, filepath.Join(dir, "g"))
}

// checkRoom fails the test unless the room is there for the next full disk.
func checkRoom(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path + ".room")
	if err != nil || info.Size() < 100<<10 {
		t.Errorf("room is %v, %v", info.Size(), err)
	}
}

// TestFullDiskBesideAStoppedReader: the log cannot be emptied, and deleting takes the room.
func TestFullDiskBesideAStoppedReader(t *testing.T) { onSmallDisks(t, fillAndDeleteBesideReader) }

func fillAndDeleteBesideReader(t *testing.T, dir string) {
	path := filepath.Join(dir, "f")
	f := openBig(t, path)
	for range 10 {
		if err := insert(f); err != nil {
			t.Fatal(err)
		}
	}
	reader := processtest.Start(t, "stay in view", path)
	reader.Hear()
	reader.Stop()
	rows := insertUntilFull(t, f)
	empty := fill(t, dir)
	for range 2 { // the room is for no more
		if err := deleteOne(f); err != nil {
			t.Fatal(err)
		}
		rows--
	}
	if n := rowsOf(t, f); n != rows {
		t.Errorf("%d rows, want %d", n, rows)
	}
	reader.Continue()
	if err := reader.End(); err != nil {
		t.Error(err)
	}
	empty()
	if err := insert(f); err != nil {
		t.Fatal(err)
	}
	checkRoom(t, path)
	if n := rowsOf(t, f); n != rows+1 {
		t.Errorf("%d rows, want %d", n, rows+1)
	}
}

// TestNoRoomToOpenAnew: the counter is deleted on a full disk, and its bytes are not free, as
// somebody still has them mapped. A process that opens the files anew takes the room.
func TestNoRoomToOpenAnew(t *testing.T) {
	onSmallDisks(t, func(t *testing.T, dir string) {
		path := filepath.Join(dir, "f")
		f := openBig(t, path)
		for range 3 {
			if err := insert(f); err != nil {
				t.Fatal(err)
			}
		}
		p := processtest.Start(t, "stay open", path)
		p.Hear()
		fill(t, dir)
		if err := os.Remove(path + ".gen"); err != nil {
			t.Fatal(err)
		}
		fill(t, dir)
		if err := deleteOne(f); err != nil {
			t.Fatal(err)
		}
		if n := rowsOf(t, f); n != 2 {
			t.Errorf("%d rows, want 2", n)
		}
	})
}

// TestNoRoomToOpen: a disk that is full already.
func TestNoRoomToOpen(t *testing.T) { onSmallDisks(t, openWithoutRoom) }

func openWithoutRoom(t *testing.T, dir string) {
	fill(t, dir)
	o := options()
	if f, err := sharedfile.Open(filepath.Join(dir, "f"), o); !errors.Is(err, sharedfile.ErrFull) {
		t.Errorf("Open: %v, want ErrFull", err)
		f.Close()
	}
}
