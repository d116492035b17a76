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
	"strconv"
	"time"

	"github.com/mattn/go-sqlite3"

	"libzk_pkcs11/internal/descriptor"
)

// formatVersion is the user_version of a file whose schema has been executed.
const formatVersion = 1

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
	version, err := formatOf(db)
	if err == nil && version == 0 {
		err = errors.Join(adoptLog(path, o), execute(db, o.Schema))
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

// formatOf returns formatVersion, or 0 for a file without a schema.
func formatOf(db *sql.DB) (version int, err error) {
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return 0, err
	}
	if version != 0 && version != formatVersion {
		return 0, fmt.Errorf("%w: format %d is unknown", ErrCorrupt, version)
	}
	return version, nil
}

func execute(db *sql.DB, schema string) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec(schema + fmt.Sprintf("; PRAGMA user_version = %d", formatVersion)); err != nil {
		return err
	}
	return tx.Commit()
}

// openDatabaseReadOnly is called under the shared lock. A file that is not
// there, or was never finished, is replaced by an empty one in memory.
func openDatabaseReadOnly(path string, o Options) (*sql.DB, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return openEmpty(o)
	}
	db, version, err := openWithOrWithoutLog(path, o.wait())
	if err == nil && version == 0 {
		db.Close()
		return openEmpty(o)
	}
	return checked(db, err)
}

// openWithOrWithoutLog takes the file as it lies there when the log cannot be
// used. It is then opened anew for each look at it, because SQLite would not
// notice changes.
func openWithOrWithoutLog(path string, wait time.Duration) (*sql.DB, int, error) {
	db := connect(path, wait, url.Values{"mode": {"ro"}}, pragmas)
	version, err := formatOf(db)
	if !needsLog(err) {
		return db, version, err
	}
	db.Close()
	db = connect(path, wait, url.Values{"mode": {"ro"}, "immutable": {"1"}}, pragmas)
	db.SetMaxIdleConns(-1)
	version, err = formatOf(db)
	return db, version, err
}

func openEmpty(o Options) (*sql.DB, error) {
	db := connect(":memory:", o.wait(), url.Values{}, pragmas)
	return checked(db, execute(db, o.Schema))
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
