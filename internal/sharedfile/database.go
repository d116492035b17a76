// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/mattn/go-sqlite3"

	"libzk_pkcs11/internal/descriptor"
)

// format is the user_version of a file that this package leaves.
func (o Options) format() int { return 1 + len(o.Upgrades) }

const pragmas = `
	PRAGMA trusted_schema = OFF;
	PRAGMA foreign_keys = ON;
	PRAGMA temp_store = MEMORY;`

const writerPragmas = pragmas + `
	PRAGMA secure_delete = ON;
	PRAGMA journal_mode = WAL;
	PRAGMA synchronous = FULL;`

// connector opens connections to one database.
type connector struct {
	driver *sqlite3.SQLiteDriver
	source string
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.source) }
func (c connector) Driver() driver.Driver                        { return c.driver }

// connect returns a database of a single connection, which stays open.
func connect(path string, wait time.Duration, parameters url.Values, pragmas string) *sql.DB {
	parameters.Set("_busy_timeout", strconv.FormatInt(wait.Milliseconds(), 10))
	parameters.Set("_stmt_cache_size", "16")
	source := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + parameters.Encode()
	hook := func(c *sqlite3.SQLiteConn) error {
		if err := keepLog(c); err != nil {
			return err
		}
		_, err := c.Exec(pragmas, nil)
		return err
	}
	db := sql.OpenDB(connector{&sqlite3.SQLiteDriver{ConnectHook: hook}, source})
	db.SetMaxOpenConns(1)
	return db
}

// keepLog keeps the log from being deleted when it is closed: SQLite might take
// this copy of itself for the last user, and a reader who may not make a log
// needs one.
func keepLog(c *sqlite3.SQLiteConn) error {
	return c.SetFileControlInt("main", sqlite3.SQLITE_FCNTL_PERSIST_WAL, 1)
}

// openDatabase is called under the exclusive lock.
func openDatabase(path string, o Options) (*sql.DB, error) {
	if err := createDatabase(path, o); err != nil {
		return nil, err
	}
	db := connect(path, o.wait(), url.Values{"mode": {"rw"}}, writerPragmas)
	version, err := formatOf(db, o)
	if err == nil && version == 0 {
		err = adoptLog(path, o)
	}
	if err == nil && version < o.format() {
		err = upgrade(db, version, o)
	}
	return checked(db, err)
}

// createDatabase makes the file with the right permission from the start. It
// leaves an existing one alone: closing it would drop SQLite's locks.
func createDatabase(path string, o Options) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := openOrCreate(path, o.Mode, o.Group)
	if err != nil {
		return err
	}
	return file.Close()
}

// adoptLog gives the log the group of the file; SQLite sees to its permission.
func adoptLog(path string, o Options) error {
	if o.Group < 0 {
		return nil
	}
	for _, suffix := range logSuffixes {
		if err := descriptor.Chgrp(path+suffix, o.Group); err != nil {
			return err
		}
	}
	return nil
}

// formatOf returns the format of a file, 0 when it has no schema.
func formatOf(db *sql.DB, o Options) (version int, err error) {
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return 0, err
	}
	if version < 0 || version > o.format() {
		return 0, fmt.Errorf("%w: format %d, this one knows %d", ErrFormat, version, o.format())
	}
	return version, nil
}

// upgrade takes a file to the newest format, in one transaction.
func upgrade(db *sql.DB, version int, o Options) error {
	steps := []string{o.Schema}
	if version > 0 {
		steps = o.Upgrades[version-1:]
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, step := range slices.Concat(steps, []string{fmt.Sprintf("PRAGMA user_version = %d", o.format())}) {
		if _, err := tx.Exec(step); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// openDatabaseReadOnly is called under the shared lock. A file that is not
// there, or was never finished, is replaced by an empty one in memory.
func openDatabaseReadOnly(path string, o Options) (*sql.DB, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return openEmpty(o)
	}
	db, version, err := openWithOrWithoutLog(path, o)
	if err == nil && version == 0 {
		db.Close()
		return openEmpty(o)
	}
	return checked(db, err)
}

// openWithOrWithoutLog takes the file as it lies there when the log cannot be
// used. It is then opened anew for each look at it, because SQLite would not
// notice changes.
func openWithOrWithoutLog(path string, o Options) (*sql.DB, int, error) {
	db := connect(path, o.wait(), url.Values{"mode": {"ro"}}, pragmas)
	version, err := formatOf(db, o)
	if !needsLog(err) {
		return db, version, err
	}
	db.Close()
	db = connect(path, o.wait(), url.Values{"mode": {"ro"}, "immutable": {"1"}}, pragmas)
	db.SetMaxIdleConns(-1)
	version, err = formatOf(db, o)
	return db, version, err
}

func openEmpty(o Options) (*sql.DB, error) {
	db := connect(":memory:", o.wait(), url.Values{}, pragmas)
	return checked(db, upgrade(db, 0, o))
}

func checked(db *sql.DB, err error) (*sql.DB, error) {
	if err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// needsLog tells whether err is how SQLite says that there is no log and that
// it cannot make one.
func needsLog(err error) bool {
	var failure sqlite3.Error
	return errors.As(err, &failure) &&
		(failure.Code == sqlite3.ErrCantOpen || failure.Code == sqlite3.ErrReadonly)
}
