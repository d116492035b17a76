// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io/fs"
	"net/url"
	"os"

	"github.com/mattn/go-sqlite3"
)

// openDatabaseReadOnly is called under the shared lock.
func openDatabaseReadOnly(path string, o Options) (*sql.DB, error) {
	looker := looker{path, o}
	conn, lasting, err := looker.inspect()
	if err != nil {
		return nil, err
	}
	if err := conn.Close(); err != nil {
		return nil, err
	}
	db := keepOpen(looker, maxReaders)
	if !lasting {
		db.SetMaxIdleConns(-1)
	}
	return db, nil
}

// looker opens connections to a file that cannot be written. The log's index is then
// for reading only, too: SQLite neither cuts nor repairs it.
type looker struct {
	path string
	o    Options
}

func (l looker) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

func (l looker) Connect(context.Context) (driver.Conn, error) {
	conn, _, err := l.inspect()
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// inspect opens a connection that shows what the file holds now. It reports whether that
// will show changes, too.
func (l looker) inspect() (conn *sqlite3.SQLiteConn, lasting bool, err error) {
	// A file that is not there, or was never finished, is replaced by an empty one.
	if _, err := os.Stat(l.path); errors.Is(err, fs.ErrNotExist) {
		conn, err = l.inMemory(nil, 0)
		return conn, true, err
	}
	conn, format, err := l.openWithLog()
	lasting = err == nil
	if needsLog(err) { // it cannot be had: the file as it lies there
		conn, format, err = l.open(url.Values{"mode": {"ro"}, "immutable": {"1"}})
	}
	if err != nil || format == l.o.format() {
		return conn, lasting, err
	}
	defer conn.Close()
	if format == 0 && l.o.Existing {
		return nil, false, ErrMissing
	}
	if format == 0 {
		conn, err = l.inMemory(nil, 0)
		return conn, true, err
	}
	conn, err = l.inMemory(conn, format)
	return conn, false, err
}

// openWithLog opens a file with its log. A process that is to write nothing leaves a log that is
// missing alone, of which SQLite would make an empty one.
func (l looker) openWithLog() (*sqlite3.SQLiteConn, int, error) {
	if _, err := os.Stat(l.path + logSuffix); l.o.ReadOnly && errors.Is(err, fs.ErrNotExist) {
		return nil, 0, sqlite3.Error{Code: sqlite3.ErrCantOpen}
	}
	return l.open(url.Values{"mode": {"ro"}, "readonly_shm": {"1"}})
}

// open also tells the format.
func (l looker) open(parameters url.Values) (*sqlite3.SQLiteConn, int, error) {
	conn, err := connectTo(l.path, parameters)
	if err != nil {
		return nil, 0, err
	}
	var format int
	err = askNumbers(conn, "PRAGMA user_version", &format)
	if err == nil {
		err = l.o.checkFormat(format)
	}
	if err != nil {
		conn.Close()
		return nil, 0, err
	}
	return conn, format, nil
}

func connectTo(path string, parameters url.Values) (*sqlite3.SQLiteConn, error) {
	conn, err := connect(path, parameters, preparePlain).Connect(context.Background())
	if err != nil {
		return nil, err
	}
	return conn.(*sqlite3.SQLiteConn), nil
}

func preparePlain(c *sqlite3.SQLiteConn) error { return execute(c, pragmas) }

// inMemory makes a copy of a file of an older format, or an empty file, and has it take
// the newest format.
func (l looker) inMemory(old *sqlite3.SQLiteConn, format int) (*sqlite3.SQLiteConn, error) {
	conn, err := connectTo(":memory:", url.Values{})
	if err != nil {
		return nil, err
	}
	if err := l.fillMemory(conn, old, format); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// fillMemory makes a database in memory a copy of an older one, in the form of today.
func (l looker) fillMemory(conn, old *sqlite3.SQLiteConn, format int) error {
	if old != nil {
		if err := copyInto(conn, old); err != nil {
			return err
		}
	}
	for _, step := range l.o.upgradesFrom(format) {
		if err := execute(conn, step); err != nil {
			return err
		}
	}
	return execute(conn, "PRAGMA query_only = ON")
}

func copyInto(to, from *sqlite3.SQLiteConn) error {
	backup, err := to.Backup("main", from, "main")
	if err != nil {
		return err
	}
	done, err := backup.Step(-1)
	if err == nil && !done {
		err = ErrBusy
	}
	return errors.Join(err, backup.Finish())
}

// needsLog reports whether err is how SQLite says that there is no log and that
// it cannot make one.
func needsLog(err error) bool {
	var failure sqlite3.Error
	return errors.As(err, &failure) &&
		(failure.Code == sqlite3.ErrCantOpen || failure.Code == sqlite3.ErrReadonly)
}
