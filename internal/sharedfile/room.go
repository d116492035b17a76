// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"github.com/mattn/go-sqlite3"
	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

// PATH.room holds bytes that Release gives up when the disk is full. They are a
// reserve: a transaction takes what it adds to the file from the disk before it
// commits, and the log keeps its bytes, so that whatever is in the log can always be
// copied into the file, and deleting needs no more than the log has.

// budget is what a file may use of its disk.
type budget struct {
	log  int   // pages in the log after which it is emptied
	kept int   // pages that the log's file has room for at least
	room int64 // bytes of PATH.room
}

// On a disk below small, which holds a few tokens, the log stays short. It keeps room
// for more than it is to hold: the transaction that fills it up is longer.
const (
	small    = 64 << 20
	mostRoom = 384 << 10
)

func budgetOf(dir string) budget {
	b := budget{log: 1000, kept: 64}
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return b
	}
	size := int64(disk.Blocks) * disk.Bsize
	if size < small {
		b.log = 40
	}
	b.room = min(mostRoom, size/16)
	return b
}

// openRoom is called when the file is opened. Room that cannot be had is no error.
func (f *File) openRoom(o Options) {
	if room, err := openOrCreate(f.path+roomSuffix, o.Mode, o.Group); err == nil {
		f.room = room
	}
}

// restoreRoom makes the room whole if as much again is left to others. It notes
// whether it has to be tried again.
func (f *File) restoreRoom() {
	missing := f.budget.room - sizeOf(f.room)
	if free, err := f.database.Free(); missing > 0 && err == nil && free >= 2*missing && f.takeRoom(f.budget.room) {
		missing = 0
	}
	lacks := uint64(0)
	if missing > 0 {
		lacks = 1
	}
	if f.gen.load(wordRoom) != lacks {
		_ = f.gen.store(wordRoom, lacks)
	}
}

// retakeRoom takes what it can of the room that was given up a moment ago.
func (f *File) retakeRoom() {
	const least = 16 << 10
	for size := f.budget.room; size >= least && !f.takeRoom(size); size /= 2 {
	}
}

func (f *File) takeRoom(size int64) bool { return f.room != nil && f.room.Allocate(size) == nil }

// giveUpRoom reports whether there was any.
func (f *File) giveUpRoom() bool {
	return sizeOf(f.room) > 0 && f.gen.store(wordRoom, 1) == nil && f.room.Truncate(0) == nil
}

// reserve has the disk hold what a transaction adds to the file, before it commits.
func (f *File) reserve() error {
	var pages int
	if err := ask(f.writer.conn, "PRAGMA page_count", &pages); err != nil {
		return err
	}
	size := int64(pages) * int64(f.pageSize)
	if sizeOf(f.database) >= size {
		return nil
	}
	_ = f.writer.conn.SetFileControlInt64("main", sqlite3.SQLITE_FCNTL_SIZE_HINT, size) // tells old errors
	stat, err := f.database.Stat()
	if err == nil && stat.Size < size {
		err = ErrFull
	}
	return plain(err)
}

// sizeOf returns 0 for a file that is not there, or is lost.
func sizeOf(file *descriptor.File) int64 {
	if file == nil {
		return 0
	}
	stat, err := file.Stat()
	if err != nil {
		return 0
	}
	return stat.Size
}
