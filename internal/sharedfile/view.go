// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"context"
	"database/sql"
	"errors"

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

func (o *opened) view(p patience, fn func(*sql.Tx) error) error {
	if err := o.slots.takeSlot(p); err != nil {
		return describe(o.path, err)
	}
	defer o.slots.giveBack()
	tx, release, err := o.beginView(p)
	if err != nil {
		return describe(o.path, err)
	}
	defer release()
	defer tx.Rollback()
	return describe(o.path, fn(tx))
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
	err = p.retryUntil(func() (bool, error) {
		tx, err = db.BeginTx(context.Background(), nil)
		if err == nil {
			if err = first(tx); err == nil {
				return true, nil
			}
			_ = tx.Rollback()
		}
		if noMore(err) && db.Stats().OpenConnections > 0 {
			p.brief = true // who reads meanwhile does not stand still
			return false, nil
		}
		if isBusy(err) {
			return false, nil
		}
		return false, err
	})
	return tx, s.endWait(p, err)
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
