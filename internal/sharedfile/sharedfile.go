// SPDX-License-Identifier: Apache-2.0

// Package sharedfile keeps one SQLite file that any number of processes read
// and write at the same time, and tells cheaply whether it has changed.
//
// Three companions lie beside the file: SQLite's own write-ahead log, PATH.lock
// with which readers and writers exclude each other, and PATH.gen, a counter of
// changes that every process keeps mapped.
//
// The lock is there although SQLite has locks of its own. Those are POSIX record
// locks: they do not tell two copies of SQLite in one process from each other,
// and all of them are lost when either copy closes the file. A forked process
// that loads this library afresh has two such copies.
package sharedfile

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync/atomic"
	"time"
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
	// Wait bounds how long a call waits for other users of the file.
	Wait time.Duration
	// Process is what the process offers in which the file is opened.
	Process Process
}

func (o Options) wait() time.Duration {
	if o.Wait == 0 {
		return DefaultWait
	}
	return o.Wait
}

// File is an open file. Its methods may be called from any goroutine, but
// neither View nor Update from within a function that was given to either.
type File struct {
	path     string
	wait     time.Duration
	process  Process
	readOnly bool
	lock     *Lock
	gen      *generation
	db       *sql.DB
	closed   atomic.Bool
}

// Open opens the file at path, and makes it when it is not there. The directory
// has to exist.
//
// A file that cannot be written, or lies in a directory that cannot, is opened
// for reading; when it does not exist, an empty one in memory stands in its
// place. Open returns ErrBusy and ErrCorrupt.
func Open(path string, o Options) (*File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, wait: o.wait(), process: o.Process, readOnly: !writable(path)}
	if err := f.open(o); err != nil {
		f.Close()
		return nil, describe(path, err)
	}
	return f, nil
}

func (f *File) open(o Options) (err error) {
	if f.readOnly {
		return f.openReadOnly(o)
	}
	if f.lock, err = OpenLock(f.path+lockSuffix, o); err != nil {
		return err
	}
	// Exclusive, because SQLite takes the first user of a log for the only one
	// and then cuts the log's index.
	release, err := f.lock.Exclusive(f.wait)
	if err != nil {
		return err
	}
	defer release()
	if f.gen, err = openGeneration(f.path+genSuffix, o); err != nil {
		return err
	}
	f.db, err = openDatabase(f.path, o)
	return err
}

func (f *File) openReadOnly(o Options) (err error) {
	f.lock = openLockReadOnly(f.path+lockSuffix, o)
	release, err := f.lock.Shared(f.wait)
	if err != nil {
		return err
	}
	defer release()
	f.gen = openGenerationReadOnly(f.path+genSuffix, o.Parts)
	f.db, err = openDatabaseReadOnly(f.path, o)
	return err
}

// ReadOnly tells whether Update is impossible.
func (f *File) ReadOnly() bool { return f.readOnly }

// Version returns the number of what is committed: it differs from every earlier
// one once the file has changed, whichever process changed it. It is read from
// memory and never waits.
//
// Callers read it before View: what View then shows is at least as new. Where the
// counter of changes cannot be opened, Version is constant.
func (f *File) Version() uint64 {
	if f.gen.unsettled() {
		f.settle()
	}
	return f.gen.version()
}

// PartVersion returns the version at which a part of the file has changed last.
func (f *File) PartVersion(part int) uint64 {
	if f.gen.unsettled() {
		f.settle()
	}
	return f.gen.partVersion(part)
}

// settle gives the change of a writer that died a number: a dead one holds no lock.
func (f *File) settle() {
	release, ok := f.lock.tryExclusive()
	if !ok {
		return
	}
	defer release()
	if f.gen.unsettled() {
		f.gen.settle()
	}
}

// View calls fn in a transaction that sees one state of the file and is rolled
// back at its end. It returns fn's error, ErrBusy, ErrCorrupt or ErrLost.
func (f *File) View(fn func(*sql.Tx) error) error {
	release, err := f.lockForView()
	if err != nil {
		return err
	}
	defer release()
	tx, err := f.db.BeginTx(context.Background(), nil)
	if err != nil {
		return describe(f.path, err)
	}
	defer tx.Rollback()
	return describe(f.path, fn(tx))
}

// lockForView locks out other readers too after a writer has died, because the
// next user of the file repairs it.
func (f *File) lockForView() (release func(), err error) {
	if !f.gen.unsettled() || f.readOnly {
		return f.intact(f.lock.Shared(f.wait))
	}
	return f.exclusive()
}

func (f *File) exclusive() (release func(), err error) { return f.intact(f.lock.Exclusive(f.wait)) }

// intact gives a lock free again when SQLite has lost what it needs under it.
func (f *File) intact(release func(), err error) (func(), error) {
	if err != nil {
		return nil, err
	}
	if err := f.process.check(); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// Update calls fn in a transaction, and commits it when fn returns nil; it is
// then on stable storage. Otherwise nothing has changed. All parts count as
// changed. Update returns fn's error, ErrReadOnly, ErrBusy, ErrFull, ErrCorrupt or
// ErrLost.
func (f *File) Update(fn func(*sql.Tx) error) error {
	_, err := f.change(func(tx *sql.Tx) ([]int, error) { return nil, fn(tx) }, true)
	return err
}

// Change holds the versions between which a transaction lies. Who knew the state
// Before, and what the transaction did, knows the state After.
type Change struct{ Before, After uint64 }

// Change is Update for a function that returns which parts it has changed, and
// tells the versions.
func (f *File) Change(fn func(*sql.Tx) ([]int, error)) (Change, error) { return f.change(fn, false) }

// Release is Change for what gives room back.
func (f *File) Release(fn func(*sql.Tx) ([]int, error)) (Change, error) { return f.change(fn, false) }

func (f *File) change(fn func(*sql.Tx) ([]int, error), all bool) (c Change, err error) {
	if f.readOnly {
		return c, fmt.Errorf("%s: %w", f.path, ErrReadOnly)
	}
	release, err := f.exclusive()
	if err != nil {
		return c, err
	}
	defer release()
	if err := f.gen.begin(); err != nil {
		return c, fmt.Errorf("%s: %w", f.path, err)
	}
	c.Before = f.gen.version()
	var parts []int
	committed := false
	defer func() {
		f.gen.end(committed, parts, all)
		c.After = f.gen.version()
	}()
	err = f.commit(func(tx *sql.Tx) (err error) {
		parts, err = fn(tx)
		return err
	})
	committed = err == nil
	return c, describe(f.path, err)
}

func (f *File) commit(fn func(*sql.Tx) error) error {
	tx, err := f.db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// Purge copies the log into the file and empties it: what an Update has deleted is
// in neither afterwards. It returns ErrReadOnly and ErrBusy.
func (f *File) Purge() error {
	if f.readOnly {
		return fmt.Errorf("%s: %w", f.path, ErrReadOnly)
	}
	release, err := f.exclusive()
	if err != nil {
		return err
	}
	defer release()
	var busy, inLog, copied int
	err = f.db.QueryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &inLog, &copied)
	if err == nil && busy != 0 {
		err = ErrBusy
	}
	return describe(f.path, err)
}

// Close closes the file. Other calls fail after it, Version excepted. Closing it
// again, or a nil one, does nothing.
func (f *File) Close() error {
	if f == nil || f.closed.Swap(true) {
		return nil
	}
	var err error
	if f.db != nil {
		err = f.closeDatabase()
	}
	f.lock.Close()
	return describe(f.path, err)
}

// closeDatabase waits for the lock because closing drops the record locks of
// another copy of SQLite in this process, and because the last user of a log
// copies it into the file.
func (f *File) closeDatabase() error {
	release, err := f.exclusive()
	if err == nil {
		defer release()
	}
	return f.db.Close()
}
