// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"
	"fmt"
	"hash/fnv"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

// The index of the log is a file that every user maps. A process that finds no record lock on
// one byte of it takes himself for the first user, and SQLite then cuts it: under the
// mapping of a copy of SQLite whose record locks are gone, which faults. It grows by a
// byte in each page, which on a disk with smaller blocks leaves holes, and a full disk
// has nothing to fill them with: that faults, too. So SQLite is never the first user:
// a File has that byte locked by a lock that belongs to an open file, as flock's do.

const (
	usersByte   = 128     // UNIX_SHM_DMS of SQLite
	indexRegion = 1 << 15 // bytes by which the index grows, for as many pages of the log as follow
	regionPages = 4096

	indexInitialised = 12 // where its header says that it holds something
)

// openIndex is called with both locks alone, before SQLite opens the file. The first user has
// SQLite make the index anew: after a loss of power it may hold anything. So does a process
// that opens the files anew, and it writes to an index that others have mapped only if it was
// made for the files that are there: they are in no transaction. Otherwise they keep theirs,
// until they notice.
func (o *opened) openIndex() (err error) {
	if o.index, err = openOrCreate(o.dir, o.name+indexSuffix, o.options); err != nil {
		return err
	}
	first, err := takeIndex(o.index)
	o.madeIndex = true
	switch {
	case err != nil || first:
		return err
	case o.before == nil && o.indexGoes():
		o.madeIndex = false
		return nil
	case o.before != nil && (o.sameAsBefore() || o.gen.loadWord(wordIndex) == o.indexKey()) && sizeOf(o.index) <= o.mostIndex():
		return o.index.WriteZeros(0, indexRegion)
	}
	return o.replaceIndex()
}

// sameAsBefore reports whether the files that hold data are those that were open before.
func (o *opened) sameAsBefore() bool {
	return areSame(o.database, o.before.database) && areSame(o.log, o.before.log) && areSame(o.index, o.before.index)
}

func areSame(a, b *descriptor.File) bool { return a != nil && b != nil && a.Same(b) }

// indexKey is a number for the files with which an index goes, and for itself.
func (o *opened) indexKey() uint64 {
	h := fnv.New64a()
	for _, file := range []*descriptor.File{o.database, o.log, o.index} {
		if file == nil {
			return 0
		}
		device, inode := file.Identity()
		fmt.Fprintln(h, device, inode)
	}
	return h.Sum64() | 1
}

// indexGoes reports whether an index that others use is about the files that are here: somebody
// may have put back a log while they were idle.
func (o *opened) indexGoes() bool {
	if madeFor := o.gen.loadWord(wordIndex); madeFor != 0 {
		return madeFor == o.indexKey()
	}
	const attempts = 10 // while somebody commits
	for range attempts {
		before, err := o.indexed()
		fits := o.indexFits(before)
		if after, err2 := o.indexed(); err == nil && err2 == nil && before == after {
			return fits
		}
	}
	return false
}

// indexFits reports whether the header of the log and the last frame are what the index says. The
// sum of that frame is one of all before it.
func (o *opened) indexFits(index indexHead) bool {
	header, err := readHeader(o.log)
	if index.all == 0 { // nothing is in the log, or no index says so before a change is committed
		return err != nil || o.gen.unsettled() || header.salt == index.salt || header.restarts(index.salt)
	}
	frame := make([]byte, frameHeader)
	last := logHeader + int64(index.all-1)*int64(frameHeader+index.page)
	if err != nil || header.salt != index.salt || readWhole(o.log, frame, last) != nil {
		return false
	}
	return header.hasWritten(frame) && index.sum == decodeSum(frame[16:])
}

// mostIndex is how long an index is at most: somebody may have made it longer, without its bytes.
func (o *opened) mostIndex() int64 {
	const leastPage = 512
	frames := sizeOf(o.log) / (frameHeader + leastPage)
	return (frames/regionPages + 2) * indexRegion
}

// replaceIndex puts a new index in the place of one that has users.
func (o *opened) replaceIndex() (err error) {
	name := o.name + indexSuffix
	if err := errors.Join(o.index.Close(), o.dir.Remove(name)); err != nil {
		return err
	}
	if o.index, err = openOrCreate(o.dir, name, o.options); err != nil {
		return err
	}
	_, err = takeIndex(o.index)
	return err
}

// usesIndex notes what the index is for. It returns an error when SQLite has made an index that is not this one: another File
// of this process has the same database open, and SQLite has one index for both.
func (o *opened) usesIndex() error {
	b := make([]byte, indexInitialised+1)
	if n, err := o.index.ReadAt(b, 0); err != nil || n < len(b) {
		return errors.Join(withoutName(err), errCutIndex)
	}
	if b[indexInitialised] == 0 {
		return errOtherIndex
	}
	if !o.madeIndex {
		return nil
	}
	return o.gen.storeWord(wordIndex, o.indexKey())
}

var errOtherIndex = fmt.Errorf("the index of the log is not the one that this process uses elsewhere: %w", ErrReplaced)

// takeIndex makes this one more user of an index, and an empty index of it for the first. It reports
// whether this is the first.
func takeIndex(index *descriptor.File) (first bool, err error) {
	err = index.LockByte(usersByte, unix.F_WRLCK)
	if err == nil {
		first, err = true, clearIndex(index)
	} else if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) { // it has users
		err = nil
	}
	return first, errors.Join(err, index.LockByte(usersByte, unix.F_RDLCK))
}

func clearIndex(index *descriptor.File) error {
	if sizeOf(index) > indexRegion {
		if err := index.Truncate(indexRegion); err != nil {
			return err
		}
	}
	return index.WriteZeros(0, indexRegion)
}

// lengthenIndex has the index grow in time for a log of so many pages.
func (o *opened) lengthenIndex(pages int) {
	const ahead = regionPages / 2
	if regions := int64(pages+ahead)/regionPages + 1; regions > 1 {
		_ = o.index.Allocate(regions * indexRegion)
	}
}
