// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"

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
	size := int64(disk.Blocks) * int64(disk.Bsize)
	if size < small {
		b.log = 40
	}
	b.room = min(mostRoom, size/16)
	return b
}

// openRoom is called when the file is opened. Room that cannot be had is no error.
func (o *opened) openRoom() error {
	room, err := openOrCreate(o.dir, o.name+roomSuffix, o.options)
	if errors.Is(err, descriptor.ErrRefused) {
		return err
	}
	o.room = room
	return nil
}

// restoreRoom makes the room whole if as much again is left to others. It notes
// whether it has to be tried again.
func (o *opened) restoreRoom() {
	missing := o.budget.room - sizeOf(o.room)
	if free, err := o.database.Free(); missing > 0 && err == nil && free >= 2*missing && o.takeRoom(o.budget.room) {
		missing = 0
	}
	lacks := uint64(0)
	if missing > 0 {
		lacks = 1
	}
	if o.gen.loadWord(wordRoom) != lacks {
		_ = o.gen.storeWord(wordRoom, lacks)
	}
}

// retakeRoom takes what it can of the room that was given up a moment ago.
func (o *opened) retakeRoom() {
	const least = 16 << 10
	for size := o.budget.room; size >= least && !o.takeRoom(size); size /= 2 {
	}
}

func (o *opened) takeRoom(size int64) bool { return o.room != nil && o.room.Allocate(size) == nil }

// giveUpRoom reports whether there was any.
func (o *opened) giveUpRoom() bool {
	return sizeOf(o.room) > 0 && o.gen.storeWord(wordRoom, 1) == nil && o.room.Truncate(0) == nil
}

// reserve has the disk hold what a transaction adds to the file, before it commits. It
// returns how long the file then is at least.
func (o *opened) reserve() (size int64, err error) {
	var pages int
	if err := askNumbers(o.writer.conn, "PRAGMA page_count", &pages); err != nil {
		return 0, err
	}
	size = int64(pages) * int64(o.pageSize)
	if sizeOf(o.database) >= size {
		return size, nil
	}
	_ = o.writer.conn.SetFileControlInt64("main", sqlite3.SQLITE_FCNTL_SIZE_HINT, size) // tells old errors
	stat, err := o.database.Stat()
	if err == nil && stat.Size < size {
		err = ErrFull
	}
	return size, withoutName(err)
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
