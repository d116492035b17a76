// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"bytes"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

// Opening makes the log's index anew where nobody has it open, brings the format up to
// date, and repairs what a writer that died has left. None of this is due while others have
// the file open and a writer lives, be it one that is stopped in the middle of a change: then
// a file is opened beside them, under the lock that they share.

// openBeside reports whether it could. What it has opened and could not use it closes.
func (o *opened) openBeside() bool {
	release, err := o.lock.shared(o.opening.atMost(0))
	if err != nil {
		return false
	}
	defer release()
	if o.openInUse() == nil {
		return true
	}
	_ = o.closeFiles()
	o.writeLock.Close()
	o.database, o.log, o.index, o.reader, o.writer = nil, nil, nil, nil, nil
	o.writeLock = nil
	return false
}

// errAlone says that the file has to be opened alone.
var errAlone = errors.New("somebody has to be alone in the file")

func (o *opened) openInUse() (err error) {
	if o.writeLock, err = openThere(o.dir, o.name+writeSuffix, o.options); err != nil {
		return err
	}
	o.writeLock.followCounter(o.gen)
	if err := o.fits(); err != nil {
		return err
	}
	if o.index, err = o.dir.Open(o.name+indexSuffix, os.O_RDWR, 0); err != nil {
		return err
	}
	if err := joinIndex(o.index); err != nil {
		return err
	}
	if o.database, err = o.dir.Open(o.name, os.O_RDWR, 0); err != nil {
		return err
	}
	if err := o.guardInUse(); err != nil {
		return err
	}
	if o.writerDied() || !o.indexGoes() {
		return errAlone
	}
	if err := o.ownsLog(); err != nil {
		return err
	}
	if o.writer, err = openWriter(o.path, ""); err != nil {
		return err
	}
	if format, err := formatOf(o.writer.DB, o.options); err != nil || format != o.options.format() {
		return errors.Join(err, errAlone)
	}
	if err := o.openLog(); err != nil {
		return err
	}
	o.reader, err = openReaders(o.database)
	return err
}

func openThere(dir *descriptor.Directory, name string, o Options) (*Lock, error) {
	file, err := dir.Open(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return newLock(file, o.Process), nil
}

// writerDied reports whether a change is unsettled whose writer does not hold its lock.
func (o *opened) writerDied() bool {
	if !o.gen.unsettled() {
		return false
	}
	release, free := o.writeLock.tryExclusive()
	if free {
		defer release()
	}
	return free && o.gen.unsettled()
}

// joinIndex makes this one more user of an index that has users and is whole: the two
// copies of its header are the same (walformat.html, "The WAL-Index Header").
func joinIndex(index *descriptor.File) error {
	if used, err := index.ByteLocked(usersByte); err != nil || !used {
		return errors.Join(err, errAlone)
	}
	if err := index.LockByte(usersByte, unix.F_RDLCK); err != nil {
		return err
	}
	const copySize, initialised = 48, 12
	header := make([]byte, 2*copySize)
	n, err := index.ReadAt(header, 0)
	if err != nil || n < len(header) || sizeOf(index) < indexRegion {
		return errors.Join(err, errAlone)
	}
	if header[initialised] == 0 || !bytes.Equal(header[:copySize], header[copySize:]) {
		return errAlone
	}
	return nil
}
