// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"libzk_pkcs11/internal/descriptor"
)

// opened is what is open of a File.
type opened struct {
	path     string
	name     string // in dir
	options  Options
	process  Process
	readOnly bool
	before   *opened  // what is opened anew: the log's index may be about another log; nil: nothing
	opening  patience // of the call that opens it
	budget   budget
	pageSize int

	// By how much versions are greater than the numbers in the counter's file, and which is
	// the least: no File tells a version again when it is opened anew.
	base, floor uint64

	// Through dir all files are opened. It is kept, for the host may change its user or its root.
	dir       *descriptor.Directory
	lock      *Lock // PATH.lock
	writeLock *Lock // PATH.write
	gen       *generation
	looked    atomic.Int64 // when look looked last whether a writer lives

	database  *descriptor.File // for its size
	log       *descriptor.File // for its bytes
	index     *descriptor.File // for a lock
	madeIndex bool             // SQLite has made it anew, for this log
	room      *descriptor.File // nil: there is none

	companions companions

	malformed atomic.Pointer[evidence] // why the files have to be opened anew; nil: for another reason
	tried     *evidence                // what did not help before

	slots   slots
	reader  *sql.DB
	reading standstill // of transactions of readers
	writer  *writer    // for the holder of the write lock, or of the file's lock alone
	logged  int        // pages in the log after the last change, for the holder of the write lock

	users   sync.RWMutex // held for reading by calls
	retired bool         // nothing but descriptors is open any more; for the holder of users
}

// openAt opens the files at an absolute path; anew, when somebody has changed those before.
func openAt(path string, options Options, before *opened, p patience) (*opened, error) {
	o := &opened{
		path: path, name: filepath.Base(path), options: options, process: options.Process, readOnly: readsOnly(path, options, before),
		budget: budgetOf(filepath.Dir(path)), slots: newSlots(), before: before, opening: p,
	}
	o.companions.beginNoting(o.process)
	err := o.open()
	if err == nil {
		err = o.companions.noteFiles(o)
	}
	if err != nil {
		o.abandon()
		return nil, err
	}
	o.before = nil
	return o, nil
}

// readsOnly reports whether the file is opened for reading only. One that could be written stays
// so when it is opened anew: that it cannot just now may be a moment of somebody's restoring it.
func readsOnly(path string, options Options, before *opened) bool {
	if before != nil && !before.readOnly {
		return false
	}
	return options.ReadOnly || !writable(path)
}

// open has the lock alone, unless the file is in use: the first user makes the log's index
// anew, and the format may change.
func (o *opened) open() (err error) {
	if o.dir, err = descriptor.OpenDirectory(filepath.Dir(o.path)); err != nil {
		return err
	}
	if err := o.dir.Check(o.name + journalSuffix); err != nil {
		return err
	}
	if err := o.fitsUnlocked(); err != nil {
		return err
	}
	if o.readOnly {
		return o.openReadOnly()
	}
	if err := o.openRoom(); err != nil {
		return err
	}
	err = o.openToWrite()
	if errors.Is(describe(o.path, err), ErrFull) && o.giveUpRoom() {
		o.writeLock.Close()
		o.lock.Close()
		o.gen.detach()
		o.writeLock, o.lock, o.gen = nil, nil, nil
		err = o.openToWrite()
	}
	return err
}

func (o *opened) openToWrite() (err error) {
	if o.lock, err = openLock(o.dir, o.name+lockSuffix, o.options); err != nil {
		return err
	}
	if o.gen, err = openExisting(o.dir, o.name+genSuffix); err != nil {
		return err
	}
	if o.gen != nil {
		o.watchCounter()
		if o.before == nil && o.openBeside() {
			return nil
		}
	}
	return o.openAlone()
}

// watchCounter has the file's lock know by the counter what others do.
func (o *opened) watchCounter() {
	o.lock.asking = o.gen.askForRoom
	o.lock.Watch(o.gen.moves)
}

// openAlone takes both locks, in the order in which a writer does.
func (o *opened) openAlone() (err error) {
	p := o.opening
	if o.writeLock, err = openLock(o.dir, o.name+writeSuffix, o.options); err != nil {
		return err
	}
	o.writeLock.followCounter(o.gen)
	settled, err := o.writeLock.exclusive(p)
	if err != nil {
		return err
	}
	defer settled()
	release, err := o.lock.exclusive(p)
	if err != nil {
		return err
	}
	defer release()
	if o.gen == nil {
		if o.gen, err = openGeneration(o.dir, o.name+genSuffix, o.options); err != nil {
			return err
		}
		o.watchCounter()
	}
	o.writeLock.followCounter(o.gen)
	if err := o.openDatabase(p); err != nil {
		return err
	}
	o.lengthenLog()
	o.restoreRoom()
	return nil
}

func (o *opened) openReadOnly() (err error) {
	if o.lock, err = openLockReadOnly(o.dir, o.name+lockSuffix, o.options); err != nil {
		return err
	}
	release, err := o.lock.shared(o.opening)
	if err != nil {
		return err
	}
	defer release()
	if o.gen, err = openGenerationReadOnly(o.dir, o.name+genSuffix, o.before); err != nil {
		return err
	}
	o.lock.Watch(o.gen.moves)
	if err := o.fits(); err != nil {
		return err
	}
	for _, suffix := range databaseSuffixes {
		if err := o.dir.Check(o.name + suffix); err != nil {
			return err
		}
	}
	if err := o.guardReadOnly(); err != nil {
		return err
	}
	if err := o.ownsLogReadOnly(); err != nil {
		return err
	}
	o.reader, err = openDatabaseReadOnly(o.path, o.options)
	return err
}

// arrive begins a call.
func (o *opened) arrive() patience { return o.process.arrive(o.options.waitOrDefault()) }

// giveBack ends what File.take began.
func (o *opened) giveBack() { o.users.RUnlock() }

// shareFile takes the file's lock together with others, and holds back while somebody
// wants it alone.
func (o *opened) shareFile(p patience) (release func(), err error) {
	_ = p.atMost(mostHoldBack).retryUntil(o.gen.isFree)
	return o.unbroken(o.lock.shared(p))
}

// aloneIn takes the file's lock alone.
func (o *opened) aloneIn(p patience) (release func(), err error) {
	return o.unbroken(o.lock.exclusive(p))
}

// unbroken gives a lock free again when SQLite has lost what it needs under it, or
// the counter what it tells others by.
func (o *opened) unbroken(release func(), err error) (func(), error) {
	if err != nil {
		return nil, err
	}
	if err := errors.Join(o.process.checkIntact(), o.gen.intact()); err != nil {
		release()
		return nil, withoutName(err)
	}
	return release, nil
}

// close closes what is open.
func (o *opened) close() error {
	return errors.Join(o.closeDatabase(o.arrive()), o.closeRest())
}

func (o *opened) closeRest() error {
	o.room.Close()
	o.writeLock.Close()
	o.lock.Close()
	o.gen.detach()
	return o.dir.Close()
}

// abandon closes what an opening that fails has opened. It waits for nobody: another call would
// find the same, and what each of them leaves open stays so.
func (o *opened) abandon() {
	if o.process.GiveUp != nil {
		_ = o.retire()
		return
	}
	_ = o.closeDatabase(o.process.arrive(0))
	o.closeRest()
}

// closeDatabase has the lock alone because closing drops the record locks of
// another copy of SQLite in this process, and because the last user of a log
// copies it into the file: a reader that it cannot see would read a mixture. While
// somebody stays in the file, stopped perhaps, SQLite keeps it open for good.
func (o *opened) closeDatabase(p patience) error {
	if o.reader == nil || o.retired {
		return nil
	}
	if errors.Is(o.companions.inspect(o), ErrReplaced) {
		return o.retire()
	}
	release, err := o.aloneIn(p)
	if errors.Is(err, ErrBusy) {
		return err
	}
	if err == nil {
		defer release()
	}
	if err := o.logWhole(); err != nil && !errors.Is(err, ErrLost) {
		o.retire()
		return err
	}
	return o.closeFiles()
}

// closeFiles gives up the lock on the index first: then SQLite can see whether it is
// the last user.
func (o *opened) closeFiles() error {
	errs := []error{o.index.Close()}
	if o.reader != nil {
		errs = append(errs, o.reader.Close())
	}
	if o.writer != nil {
		errs = append(errs, o.writer.Close())
	}
	o.writeLock.unguard()
	o.lock.unguard()
	return errors.Join(append(errs, o.log.Close(), o.database.Close())...)
}

// sinceOpened is the time on a clock that nobody sets.
func (o *opened) sinceOpened() time.Duration { return time.Since(o.companions.opened) }
