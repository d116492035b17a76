// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

// The index of the log is a file that every user maps. Whoever finds no record lock on
// one byte of it takes himself for the first user, and SQLite then cuts it: under the
// mapping of a copy of SQLite whose record locks are gone, which faults. It grows by a
// byte in each page, which on a disk with smaller blocks leaves holes, and a full disk
// has nothing to fill them with: that faults, too. So SQLite is never the first user:
// a File has that byte locked by a lock that belongs to an open file, as flock's do.

const (
	usersByte   = 128     // UNIX_SHM_DMS of SQLite
	indexRegion = 1 << 15 // bytes by which the index grows, for as many pages of the log as follow
	regionPages = 4096
)

// openIndex is called with the file's lock alone, before SQLite opens the file. The
// first user has SQLite make the index anew: after a loss of power it may hold anything.
func openIndex(dir *descriptor.Directory, name string, o Options) (*descriptor.File, error) {
	index, err := openOrCreate(dir, name, o)
	if err != nil {
		return nil, err
	}
	if err := takeIndex(index); err != nil {
		return nil, errors.Join(err, index.Close())
	}
	return index, nil
}

func takeIndex(index *descriptor.File) error {
	err := index.LockByte(usersByte, unix.F_WRLCK)
	if err == nil {
		err = clearIndex(index)
	} else if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) { // it has users
		err = nil
	}
	return errors.Join(err, index.LockByte(usersByte, unix.F_RDLCK))
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
