// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync/atomic"
	"time"

	"libzk_pkcs11/internal/descriptor"
)

// DefaultWait is how long a call waits for other users of the file when
// Options.Wait is 0.
const DefaultWait = 5 * time.Second

// Options say how a file is made and used.
type Options struct {
	// Schema makes a file of the newest format. It is executed once.
	Schema string
	// Upgrades take an older file to the newest format, which is 1+len(Upgrades):
	// Upgrades[i] makes format i+2 of format i+1.
	Upgrades []string
	// Parts is how many parts of the file have a version of their own.
	Parts int
	// Mode is the permission of the file and its companions. Opening does not
	// change the permission of a file that exists.
	Mode fs.FileMode
	// Group is the group that owns them, or -1 for that of the process.
	Group int
	// Wait bounds how long a call waits for other users of the file, from its
	// arrival, however many calls there are. Calls that come after one that has
	// waited in vain do not wait until the file moves.
	Wait time.Duration
	// Existing has Open return ErrMissing where it would make the file, and touch nothing.
	Existing bool
	// ReadOnly has Open open the file for reading, also where it can be written.
	ReadOnly bool
	// Process is what the process offers in which the file is opened.
	Process Process
}

func (o Options) wait() time.Duration {
	if o.Wait == 0 {
		return DefaultWait
	}
	return o.Wait
}

// format is the user_version of a file that this package leaves.
func (o Options) format() int { return 1 + len(o.Upgrades) }

// File is an open file. Its methods may be called from any goroutine, but those
// that take a function not from within a function that was given to one of them.
type File struct {
	path     string
	wait     time.Duration
	process  Process
	readOnly bool
	budget   budget
	pageSize int

	lock      *Lock // PATH.lock
	writeLock *Lock // PATH.write
	gen       *generation
	looked    atomic.Int64 // when Version looked last whether a writer lives

	// What is open from the beginning, for the host may change its user or its root.
	database *descriptor.File // for its size
	log      *descriptor.File // for its bytes
	index    *descriptor.File // for a lock
	room     *descriptor.File // nil: there is none

	slots   slots
	reader  *sql.DB
	reading standstill // of transactions of readers
	writer  *writer    // for the holder of the write lock, or of the file's lock alone
	logged  int        // pages in the log after the last change, for the holder of the write lock
	closed  atomic.Bool
}

// Open opens the file at path, and makes it when it is not there. The directory
// has to exist.
//
// A file that cannot be written, or lies in a directory that cannot, is opened
// for reading; when it does not exist, an empty one in memory stands in its
// place. Open returns ErrMissing, ErrBusy, ErrFull, ErrFormat and ErrCorrupt.
func Open(path string, o Options) (*File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if o.Existing {
		if nothing, err := vacant(path); nothing || err != nil {
			return nil, describe(path, cmp.Or(err, ErrMissing))
		}
	}
	f := &File{
		path: path, wait: o.wait(), process: o.Process, readOnly: o.ReadOnly || !writable(path),
		budget: budgetOf(filepath.Dir(path)), slots: newSlots(),
	}
	if err := f.open(o); err != nil {
		f.Close()
		return nil, describe(path, err)
	}
	return f, nil
}

// open has the lock alone, because the first user makes the log's index anew, and
// because the format may change.
func (f *File) open(o Options) (err error) {
	if o.Parts > maxParts {
		return fmt.Errorf("%d parts, more than %d", o.Parts, maxParts)
	}
	if f.readOnly {
		return f.openReadOnly(o)
	}
	if f.lock, err = OpenLock(f.path+lockSuffix, o); err != nil {
		return err
	}
	if f.gen = openExisting(f.path + genSuffix); f.gen != nil {
		f.lock.asking = f.gen.ask
	}
	release, err := f.lock.exclusive(f.arrive())
	if err != nil {
		return err
	}
	defer release()
	if f.writeLock, err = OpenLock(f.path+writeSuffix, o); err != nil {
		return err
	}
	if f.gen == nil {
		if f.gen, err = openGeneration(f.path+genSuffix, o); err != nil {
			return err
		}
		f.lock.asking = f.gen.ask
	}
	f.lock.Watch(f.gen.moves)
	f.writeLock.Watch(f.gen.moves)
	f.openRoom(o)
	err = f.openDatabase(o)
	if errors.Is(describe(f.path, err), ErrFull) && f.giveUpRoom() {
		err = f.openDatabase(o)
	}
	if err != nil {
		return err
	}
	f.lengthenLog()
	f.restoreRoom()
	return nil
}

func (f *File) openReadOnly(o Options) (err error) {
	f.lock = openLockReadOnly(f.path+lockSuffix, o)
	release, err := f.lock.shared(f.arrive())
	if err != nil {
		return err
	}
	defer release()
	f.gen = openGenerationReadOnly(f.path + genSuffix)
	f.lock.Watch(f.gen.moves)
	if err = f.ownsLogReadOnly(); err != nil {
		return err
	}
	f.reader, err = openDatabaseReadOnly(f.path, o)
	return err
}

// arrive begins a call.
func (f *File) arrive() patience { return f.process.arrive(f.wait) }

// Path is the absolute path of the file.
func (f *File) Path() string { return f.path }

// ReadOnly tells whether Update is impossible.
func (f *File) ReadOnly() bool { return f.readOnly }

// enter takes the file's lock together with others, and holds back while somebody
// wants it alone.
func (f *File) enter(p patience) (release func(), err error) {
	_ = p.atMost(mostHoldBack).until(func() (bool, error) { return !f.gen.asked(), nil })
	return f.unbroken(f.lock.shared(p))
}

// aloneIn takes the file's lock alone.
func (f *File) aloneIn(p patience) (release func(), err error) {
	return f.unbroken(f.lock.exclusive(p))
}

// unbroken gives a lock free again when SQLite has lost what it needs under it, or
// the counter what it tells others by.
func (f *File) unbroken(release func(), err error) (func(), error) {
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.process.check(), f.gen.intact()); err != nil {
		release()
		return nil, plain(err)
	}
	return release, nil
}

// Close closes the file. Other calls fail after it, Version excepted. Closing it
// again, or a nil one, does nothing.
func (f *File) Close() error {
	if f == nil || f.closed.Swap(true) {
		return nil
	}
	err := f.closeDatabase()
	f.room.Close()
	f.writeLock.Close()
	f.lock.Close()
	return describe(f.path, err)
}

// closeDatabase has the lock alone because closing drops the record locks of
// another copy of SQLite in this process, and because the last user of a log
// copies it into the file: whom that copy cannot see would read a mixture. While
// somebody stays in the file, stopped perhaps, SQLite keeps it open for good.
func (f *File) closeDatabase() error {
	if f.reader == nil {
		return nil
	}
	release, err := f.aloneIn(f.arrive())
	if errors.Is(err, ErrBusy) {
		return err
	}
	if err == nil {
		defer release()
	}
	return f.closeFiles()
}

// closeFiles gives up the lock on the index first: then SQLite can see whether it is
// the last user.
func (f *File) closeFiles() error {
	errs := []error{f.index.Close()}
	if f.reader != nil {
		errs = append(errs, f.reader.Close())
	}
	if f.writer != nil {
		errs = append(errs, f.writer.Close())
	}
	return errors.Join(append(errs, f.log.Close(), f.database.Close())...)
}
