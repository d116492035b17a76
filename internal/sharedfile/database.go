// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"github.com/mattn/go-sqlite3"

	"libzk_pkcs11/internal/descriptor"
)

// What every connection is set to. SQLite does not wait, begin does; and it makes no
// checkpoints, see log.go.
const pragmas = `
	PRAGMA trusted_schema = OFF;
	PRAGMA foreign_keys = ON;
	PRAGMA temp_store = MEMORY;
	PRAGMA wal_autocheckpoint = 0;`

const readerPragmas = pragmas + `
	PRAGMA query_only = ON;`

const writerPragmas = pragmas + `
	PRAGMA secure_delete = ON;
	PRAGMA synchronous = FULL;`

// makerPragmas write to a file that is empty: it may be one that is just being put back.
const makerPragmas = `
	PRAGMA journal_mode = WAL;`

// connector opens connections to one database.
type connector struct {
	driver *sqlite3.SQLiteDriver
	source string
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.source) }
func (c connector) Driver() driver.Driver                        { return c.driver }

// connect returns connections that prepare makes ready.
func connect(path string, parameters url.Values, prepare func(*sqlite3.SQLiteConn) error) connector {
	parameters.Set("_busy_timeout", "0")
	parameters.Set("_stmt_cache_size", "16")
	source := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + parameters.Encode()
	return connector{&sqlite3.SQLiteDriver{ConnectHook: prepare}, source}
}

// keepOpen keeps the connections that it has opened until it is closed: closing one drops
// record locks.
func keepOpen(c driver.Connector, most int) *sql.DB {
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	return db
}

// writer is the connection for changes.
type writer struct {
	*sql.DB
	conn *sqlite3.SQLiteConn // the same

	standstill  standstill  // of transactions
	synchronous synchronous // what a commit waits for; empty: it is not known
}

// openWriter makes the log and its index when they are not there.
func openWriter(path, more string) (*writer, error) {
	w := &writer{synchronous: full}
	parameters := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}}
	w.DB = keepOpen(connect(path, parameters, (&writerSetup{w, writerPragmas + more}).prepare), 1)
	if err := w.Ping(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// writerSetup makes a connection the writer's.
type writerSetup struct {
	writer  *writer
	pragmas string
}

func (s *writerSetup) prepare(c *sqlite3.SQLiteConn) error {
	s.writer.conn = c
	return errors.Join(keepLog(c), allocateByPage(c), execute(c, s.pragmas))
}

// readers opens connections for reading, while the file's name leads to it.
type readers struct {
	connector
	database *descriptor.File
}

var errElsewhere = errors.New("the file's name does not lead to it any more")

func (r readers) Connect(ctx context.Context) (driver.Conn, error) {
	if !r.database.Named() {
		return nil, errElsewhere
	}
	return r.connector.Connect(ctx)
}

// openReaders opens one connection. Where no more can be opened, readers take turns.
func openReaders(database *descriptor.File) (*sql.DB, error) {
	c := connect(database.Name(), url.Values{"mode": {"rw"}}, prepareReader)
	db := keepOpen(readers{c, database}, maxReaders)
	if err := db.Ping(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func prepareReader(c *sqlite3.SQLiteConn) error {
	return errors.Join(keepLog(c), execute(c, readerPragmas))
}

func execute(c *sqlite3.SQLiteConn, statements string) error {
	_, err := c.Exec(statements, nil)
	return err
}

// askNumbers gets one row of numbers. It goes past database/sql, which takes several times as
// long as SQLite for such questions.
func askNumbers(c *sqlite3.SQLiteConn, question string, answers ...*int) error {
	rows, err := c.Query(question, nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	values := make([]driver.Value, len(answers))
	if err := rows.Next(values); err != nil {
		return err
	}
	for i, value := range values {
		number, is := value.(int64)
		if !is {
			return fmt.Errorf("%w: %s is %v", ErrCorrupt, question, value)
		}
		*answers[i] = int(number)
	}
	return nil
}

// keepLog keeps the log from being deleted when it is closed: SQLite might take
// this copy of itself for the last user, and a reader who may not make a log
// needs one.
func keepLog(c *sqlite3.SQLiteConn) error {
	return c.SetFileControlInt("main", sqlite3.SQLITE_FCNTL_PERSIST_WAL, 1)
}

// allocateByPage has SQLite heed SQLITE_FCNTL_SIZE_HINT.
func allocateByPage(c *sqlite3.SQLiteConn) error {
	return c.SetFileControlInt("main", sqlite3.SQLITE_FCNTL_CHUNK_SIZE, 4096)
}

// openDatabase is called with the file's lock alone.
func (o *opened) openDatabase(p patience) error {
	err := o.openFiles(p)
	if err != nil {
		err = errors.Join(err, o.closeFiles())
		o.database, o.log, o.index, o.reader, o.writer = nil, nil, nil, nil, nil
	}
	return err
}

// openFiles has SQLite look at the log first, which makes the index whole.
func (o *opened) openFiles(p patience) (err error) {
	if err := o.dir.Check(o.name + logSuffix); err != nil { // SQLite makes it
		return err
	}
	if err := o.openOwn(); err != nil {
		return err
	}
	if err := o.ownsLog(); err != nil {
		return err
	}
	if err := o.guardFiles(p); err != nil {
		return err
	}
	if err := o.openIndex(); err != nil {
		return err
	}
	making := ""
	if o.before == nil && !o.options.Existing {
		making = makerPragmas
	}
	if o.writer, err = openWriter(o.path, making); err != nil {
		return err
	}
	format, err := formatOf(o.writer.DB, o.options)
	if err != nil {
		return err
	}
	if err := o.openLog(); err != nil {
		return err
	}
	if err := o.usesIndex(); err != nil {
		return err
	}
	if err := o.upgrade(format); err != nil {
		return err
	}
	o.reader, err = openReaders(o.database)
	return err
}

// openOwn opens the database. What was seen of it before the lock was there may not be so any
// more: somebody who puts a backup back puts its log there first, perhaps.
func (o *opened) openOwn() (err error) {
	if err := o.fits(); err != nil {
		return err
	}
	if o.before != nil || o.options.Existing {
		o.database, err = o.dir.Open(o.name, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return o.absent()
		}
		return err
	}
	if !o.dir.Exists(o.name) { // SQLite is kept from removing it
		if err := o.dir.Remove(o.name + logSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	o.database, err = openOrCreate(o.dir, o.name, o.options)
	return err
}

// present returns an error for a database that is gone, or empty, and must not be made anew.
func (o *opened) present() error {
	if o.options.Existing || o.before != nil {
		if nothing, err := vacant(o.dir, o.name); err != nil {
			return err
		} else if nothing {
			return o.absent()
		}
	}
	return nil
}

// fits returns an error for a database that does not go with its log or a journal. One that is
// being made does not either, for a moment, which the lock keeps others from seeing.
func (o *opened) fits() error {
	if err := o.present(); err != nil {
		return err
	}
	if err := o.checkJournal(); err != nil {
		return err
	}
	return o.checkEmpty()
}

// fitsUnlocked is fits before anything is made. Somebody may just be making the database when
// there is a lock: then it is for the lock's holder to say.
func (o *opened) fitsUnlocked() error {
	err := o.fits()
	if err != nil && o.dir.Exists(o.name+lockSuffix) {
		return o.present()
	}
	return err
}

// checkJournal refuses a journal beside a file that has a schema: SQLite would play it back into
// the file. In write-ahead mode there is none, but while the file is made.
func (o *opened) checkJournal() error {
	name := o.name + journalSuffix
	journal, err := o.dir.Stat(name)
	if err != nil || journal.Size == 0 {
		return nil
	}
	if unfinished, err := vacant(o.dir, o.name); unfinished || err != nil {
		return err
	}
	return fmt.Errorf("%s is not of this file, which has no journal: %w", o.dir.Path(name), ErrRefused)
}

// absent is the error for a database that is not there, or was never finished.
func (o *opened) absent() error {
	switch stat, err := o.dir.Stat(o.name); {
	case o.before == nil:
		return ErrMissing
	case errors.Is(err, fs.ErrNotExist):
		return ErrRemoved
	case err == nil && stat.Size == 0:
		return errEmpty
	}
	return ErrMissing
}

// checkEmpty refuses a database that was emptied: SQLite would take it for a new one, and
// delete the log that is left.
func (o *opened) checkEmpty() error {
	if err := o.dir.Check(o.name); err != nil {
		return err
	}
	database, err := o.dir.Stat(o.name)
	if err != nil || database.Size > 0 {
		return nil
	}
	if log, err := o.dir.Stat(o.name + logSuffix); err == nil && log.Size > 0 {
		return errEmpty
	}
	return nil
}

// openLog gives the log the group of the file; SQLite sees to its permission.
func (o *opened) openLog() (err error) {
	if err := askNumbers(o.writer.conn, "PRAGMA page_size", &o.pageSize); err != nil {
		return err
	}
	if o.log == nil {
		if o.log, err = o.dir.Open(o.name+logSuffix, os.O_RDWR, 0); err != nil {
			return err
		}
		if done, err := o.writeLock.guardFile(o.log); !done {
			return cmp.Or(err, ErrBusy)
		}
	}
	if o.options.Group < 0 {
		return nil
	}
	err = o.log.Chgrp(o.options.Group)
	if errors.Is(err, fs.ErrPermission) {
		return nil // it is somebody else's of the group
	}
	return err
}
