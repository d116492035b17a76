// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/mattn/go-sqlite3"
)

// maxReaders is how many threads of one File read at the same time.
const maxReaders = 8

// slots are the connections for reading. They are counted here, because nobody could
// call off a wait inside of database/sql.
type slots chan struct{}

func newSlots() slots { return make(slots, maxReaders) }

func (s slots) takeSlot(p patience) error { return p.retryUntil(s.tryTake) }

func (s slots) tryTake() (done bool, err error) {
	select {
	case s <- struct{}{}:
		return true, nil
	default:
		return false, nil
	}
}

func (s slots) giveBack() { <-s }

// Reading is a transaction that sees one state of a file and cannot change it. It ends
// with End.
type Reading struct {
	*sql.Tx
	opened  *opened
	release func() // of the file's lock
}

// BeginView is View for a caller who ends the transaction.
func (f *File) BeginView() (*Reading, error) { return f.beginWithin(f.arrive()) }

// BeginGlance is BeginView for a caller who can do without: it waits a moment at most.
func (f *File) BeginGlance() (*Reading, error) { return f.beginWithin(f.arrive().atMost(glance)) }

const glance = 2 * time.Millisecond

func (f *File) beginWithin(p patience) (*Reading, error) {
	r, err := f.beginAfterLook(p, believe)
	if errors.Is(err, ErrRemoved) { // since the look
		return f.beginAfterLook(p, 0)
	}
	return r, err
}

// beginAfterLook believes a look of that age.
func (f *File) beginAfterLook(p patience, age time.Duration) (*Reading, error) {
	o, err := f.borrow(p, age)
	if err != nil {
		return nil, err
	}
	r := &Reading{opened: o}
	defer r.abandonUnlessBegun()
	if err := r.begin(p); err != nil {
		return nil, o.explain(describe(o.path, err))
	}
	return r, nil
}

func (r *Reading) begin(p patience) error {
	if err := r.opened.slots.takeSlot(p); err != nil {
		return err
	}
	defer r.giveSlotUnlessBegun()
	tx, release, err := r.opened.beginView(p)
	if err == nil {
		r.Tx, r.release = tx, release
	}
	return err
}

func (r *Reading) giveSlotUnlessBegun() {
	if r.Tx == nil {
		r.opened.slots.giveBack()
	}
}

func (r *Reading) abandonUnlessBegun() {
	if r.Tx == nil {
		r.opened.giveBack()
	}
}

// End ends the transaction, and adds the path and the sentinel of this package to an error that
// came of it.
func (r *Reading) End(err *error) {
	defer r.opened.giveBack()
	r.rollback(err)
	*err = r.opened.explain(*err)
}

func (r *Reading) rollback(err *error) {
	defer r.opened.slots.giveBack()
	defer r.release()
	defer r.Rollback()
	*err = describe(r.opened.path, *err)
}

// beginView settles what a writer that died has left before it takes the file's lock.
func (o *opened) beginView(p patience) (tx *sql.Tx, release func(), err error) {
	repairing := o.repair(p.atMost(repairWait))
	defer repairing.finish(&err)
	if release, err = o.shareFile(p); err != nil {
		return nil, nil, err
	}
	if tx, err = beginTransaction(o.reader, p, &o.reading, chooseState); err != nil {
		release()
	}
	return tx, release, err
}

// chooseState makes SQLite choose the state of the file that the transaction sees, and so
// look at the log's index.
func chooseState(tx *sql.Tx) error {
	var n int
	return tx.QueryRow("SELECT count(*) FROM sqlite_schema WHERE 0").Scan(&n)
}

// beginTransaction begins a transaction. It waits here for others who use SQLite on the file, such
// as a backup, because a wait in SQLite would hold the host's signals back; and for other
// readers, where no connection can be opened besides theirs.
func beginTransaction(db *sql.DB, p patience, s *standstill, first func(*sql.Tx) error) (tx *sql.Tx, err error) {
	p = s.beginWait(p)
	b := &beginner{db: db, first: first}
	err = p.retryUntil(b.tryBegin)
	p.brief = p.brief || b.queued // others that read meanwhile do not stand still
	return b.tx, s.endWait(p, err)
}

// beginner begins a transaction.
type beginner struct {
	db     *sql.DB
	first  func(*sql.Tx) error
	tx     *sql.Tx
	queued bool // it waited for other transactions
}

func (b *beginner) tryBegin() (done bool, err error) {
	b.tx, err = b.db.BeginTx(context.Background(), nil)
	if err == nil {
		if err = b.first(b.tx); err == nil {
			return true, nil
		}
		_ = b.tx.Rollback()
	}
	switch {
	case noMore(err) && b.db.Stats().OpenConnections > 0:
		b.queued = true
	case !isBusy(err):
		return false, err
	}
	return false, nil
}

// isBusy reports whether SQLite says that others use the file.
func isBusy(err error) bool {
	var failure sqlite3.Error
	return errors.As(err, &failure) && (failure.Code == sqlite3.ErrBusy || failure.Code == sqlite3.ErrLocked)
}

// noMore reports whether another connection cannot be opened.
func noMore(err error) bool {
	var failure sqlite3.Error
	return errors.Is(err, errElsewhere) || errors.As(err, &failure) && failure.Code == sqlite3.ErrCantOpen
}
