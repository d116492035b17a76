// SPDX-License-Identifier: Apache-2.0

// Package store keeps what a token has to remember and its device cannot: the
// PINs, and the attributes of objects. It speaks of records and secrets, not of
// PKCS#11.
//
// Everything hangs on the token's secret, 32 random bytes that are made when the
// token is initialised. Each PIN wraps the secret. Keys derived from it authenticate
// records of every kind and seal the attributes of private records, so that
// the files without a PIN give nothing private away and cannot be changed
// unnoticed. A store that has the secret is unlocked.
//
// What seals private records comes from the token's root as well, where the device can keep
// one: 32 more bytes that the store has only as the device has locked them. So neither the
// files with a PIN nor the device without one opens anything.
//
// Nothing is read that is not asked for: a caller who knows the state of a revision asks what
// has changed since, and one who looks for records names attributes that they have.
//
// Any number of processes use the files of a token at the same time.
package store

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"libzk_pkcs11/internal/sharedfile"
)

// The files of a token in its directory, companions of the first apart.
const (
	databaseName = "token.db"
	countsName   = "token.pins"
	pinLockName  = "token.pin.lock"
	initLockName = "token.init.lock"
)

// The errors of a store. They come wrapped; use errors.Is.
var (
	ErrPIN       = errors.New("wrong PIN")
	ErrPINLocked = errors.New("PIN is locked after too many wrong ones")
	ErrNoPIN     = errors.New("PIN has not been set")
	ErrSecret    = errors.New("secret is not that of the token")
	ErrLocked    = errors.New("store is locked")
	ErrRoot      = fmt.Errorf("%w: the device does not open the root that the private objects are sealed under", ErrLocked)
	ErrUncounted = errors.New("PIN is not looked at, because a wrong one could not be counted")
	ErrNoRecord  = errors.New("no such record")
	ErrLabel     = errors.New("label is not UTF-8 of at most 32 bytes")
	ErrReadOnly  = sharedfile.ErrReadOnly
	ErrBusy      = sharedfile.ErrBusy
	ErrCorrupt   = sharedfile.ErrCorrupt
	ErrMissing   = sharedfile.ErrMissing
	ErrLog       = sharedfile.ErrLog
	ErrFull      = sharedfile.ErrFull
	ErrFormat    = sharedfile.ErrFormat
	ErrLost      = sharedfile.ErrLost
)

// DefaultMaxFailures is how many wrong PINs in a row lock a PIN when
// Options.MaxFailures is 0.
const DefaultMaxFailures = 10

// Process is what the store needs of the process that has it open.
type Process = sharedfile.Process

// Options say how a store is made and used.
type Options struct {
	Mode        fs.FileMode   // permission of the files that are made
	Group       int           // their group, or -1 for that of the process
	MaxFailures [2]int        // wrong PINs in a row that lock the PIN, by User
	Wait        time.Duration // how long a call waits for other processes
	Process     Process       // that has the store open
	Existing    bool          // Open makes no token where there is none
	ReadOnly    bool          // nothing is written

	Witness Witness                          // the device; nil for one that does not count changes
	Warn    func(format string, args ...any) // tells what an administrator should know; nil tells nobody
}

// secretPart is the part of the token's file whose version moves with the token's secret and
// its root.
const secretPart = 0

// Store is the state of one token. Its methods may be called from any goroutine.
type Store struct {
	file        *sharedfile.File
	counts      *countsFile
	pinLock     *sharedfile.Lock // nil where the store is read-only
	initLock    *sharedfile.Lock // nil where the store is read-only
	maxFailures [2]int
	wait        time.Duration
	keys        keyring // empty while the store is locked
	token       atomic.Pointer[tokenRows]
	witness     Witness
	tell        func(format string, args ...any)
	room        sync.Once // memory for the first PIN has been made
}

// Open opens the state of the token in dir, which has to exist, and makes it
// when there is none. State of version 0.1.0 is taken over. ErrMissing when Options say
// that there has to be one, ErrBusy, ErrCorrupt, ErrFormat.
func Open(dir string, o Options) (*Store, error) {
	s := &Store{maxFailures: o.MaxFailures, wait: o.Wait, witness: o.Witness, tell: o.Warn}
	for u := range s.maxFailures {
		if s.maxFailures[u] == 0 {
			s.maxFailures[u] = DefaultMaxFailures
		}
	}
	if s.wait == 0 {
		s.wait = sharedfile.DefaultWait
	}
	if err := s.open(dir, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(dir string, o Options) (err error) {
	options := sharedfile.Options{Mode: o.Mode, Group: o.Group, Wait: s.wait, Process: o.Process}
	if s.file, err = sharedfile.Open(filepath.Join(dir, databaseName), o.ofDatabase(options)); err != nil {
		return err
	}
	if s.file.ReadOnly() {
		s.counts, err = openCountsReadOnly(dir, options)
		return err
	}
	if s.pinLock, err = sharedfile.OpenLock(filepath.Join(dir, pinLockName), databaseName, options); err != nil {
		return err
	}
	if err = s.openCounts(dir, options); err != nil {
		return err
	}
	s.pinLock.Watch(s.counts.moves)
	s.initLock, err = sharedfile.OpenLock(filepath.Join(dir, initLockName), databaseName, options)
	return err
}

// ofDatabase adds what is in the file of the records.
func (o Options) ofDatabase(d sharedfile.Options) sharedfile.Options {
	const format3 = rootColumns + ownTable + recoveryTable
	d.Schema = format1 + format2 + bondColumns + format3
	d.Upgrades = []string{format2 + bondColumns, format3}
	d.Parts = 1
	d.Existing, d.ReadOnly = o.Existing, o.ReadOnly
	return d
}

// Destroy deletes the state of the token in dir. Processes that have it open get
// errors from then on.
func Destroy(dir string) error {
	for _, name := range [...]string{databaseName, oldCountsName} {
		if err := sharedfile.Remove(filepath.Join(dir, name), sharedfile.DefaultWait); err != nil {
			return err
		}
	}
	for _, name := range [...]string{countsName, countsName + newSuffix, pinLockName, initLockName} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// ReadOnly reports whether nothing can be written.
func (s *Store) ReadOnly() bool { return s.file.ReadOnly() }

// Version is a number that changes whenever the records or the token have changed, the
// failures of a PIN apart, whichever process made the change. Login and Logout do not
// count. It is read from memory and never waits.
func (s *Store) Version() uint64 { return s.file.Version() }

// Close forgets the secret and closes the files.
func (s *Store) Close() error {
	s.Logout()
	s.token.Store(nil)
	return errors.Join(s.initLock.Close(), s.pinLock.Close(), s.counts.Close(), s.file.Close())
}

// Tx is a transaction. It must not be used after the function it was given to.
type Tx struct {
	*snapshot
	device  uint64    // how many changes the device has had
	counted bool      // the revision is that of this transaction
	erases  bool      // what was deleted must not stay in the file's log
	made    []*Record // that have got an ID
}

// undo makes new records new again: nothing has been written.
func (tx *Tx) undo() {
	for _, r := range tx.made {
		r.ID = 0
	}
}

// Change holds the versions between which a transaction lies. A process that knew the state
// Before, and what the transaction did, knows the state After.
type Change = sharedfile.Change

// Update calls fn in a transaction, and commits it when fn returns nil; it is
// then on stable storage. Otherwise nothing has changed. Update returns fn's
// error, ErrReadOnly, ErrBusy, ErrFull or ErrCorrupt. fn must not call methods of the
// store.
func (s *Store) Update(fn func(*Tx) error) (Change, error) {
	c := s.beginChange(fn)
	defer c.endChange()
	return c.settleLasting(s.file.Change(c.execute))
}

// Release is Update for what gives room back: it works on a full disk, too. It may call fn
// twice.
func (s *Store) Release(fn func(*Tx) error) (Change, error) {
	c := s.beginChange(fn)
	defer c.endChange()
	return c.settleLasting(s.file.Release(c.execute))
}

// Relaxed is Release that does not wait for the disk: no kill undoes it, but a loss of power
// may, unless a later Update was in time. It is for what anybody can do again.
func (s *Store) Relaxed(fn func(*Tx) error) (Change, error) {
	c := s.beginChange(fn)
	defer c.endChange()
	return c.settle(s.file.Relaxed(c.execute))
}

// Soon is Relaxed for what can be left to somebody else, or to later: it returns ErrBusy when
// others write for longer than wait.
func (s *Store) Soon(wait time.Duration, fn func(*Tx) error) (Change, error) {
	c := s.beginChange(fn)
	defer c.endChange()
	return c.settle(s.file.Soon(wait, c.execute))
}

// change is a change that is under way.
type change struct {
	store *Store
	keys  *keys
	fn    func(*Tx) error
	tx    Tx
}

// beginChange begins a change, which endChange ends.
func (s *Store) beginChange(fn func(*Tx) error) *change {
	return &change{store: s, keys: s.keys.take(), fn: fn}
}

// execute makes the change. It may be called twice.
func (c *change) execute(tx *sql.Tx) ([]int, error) {
	now, err := newSnapshot(tx, c.keys)
	if err != nil {
		return nil, err
	}
	c.tx.undo()
	c.tx = Tx{snapshot: now, device: c.store.counted()}
	return nil, c.fn(&c.tx)
}

// settleLasting settles a change that no loss of power undoes, which the device may note.
func (c *change) settleLasting(made Change, err error) (Change, error) {
	if err == nil && c.tx.counted && c.store.witness != nil {
		c.store.witness.Saw(c.tx.revision)
	}
	return c.settle(made, err)
}

// settle does what is left to do once a change was made, or has failed.
func (c *change) settle(made Change, err error) (Change, error) {
	if err != nil {
		c.tx.undo()
		return made, err
	}
	if c.tx.erases {
		c.store.purge()
	}
	return made, nil
}

func (c *change) endChange() { c.store.keys.giveBack(c.keys) }

// statement is a statement that changes no record.
type statement struct {
	text      string
	arguments []any
}

func (s *statement) execute(tx *sql.Tx) ([]int, error) {
	_, err := tx.Exec(s.text, s.arguments...)
	return nil, err
}

// purge takes what has been deleted out of the file's log, too. When it cannot,
// the transaction stands all the same, and the next purge does it.
func (s *Store) purge() { _ = s.file.Purge() }
