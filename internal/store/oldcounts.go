// SPDX-License-Identifier: Apache-2.0

package store

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"libzk_pkcs11/internal/sharedfile"
)

// oldCountsName is the database in which version 0.1.0 kept the counts of wrong PINs.
const oldCountsName = "pins.db"

const oldCountsSchema = `
CREATE TABLE attempts (
	user     INTEGER PRIMARY KEY CHECK (user IN (0, 1)),
	salt     BLOB NOT NULL,
	failures INTEGER NOT NULL
) STRICT;
`

// oldCountsExist reports whether something of the database is there. Its lock is removed last.
func oldCountsExist(dir string) bool {
	return exists(filepath.Join(dir, oldCountsName)) || exists(filepath.Join(dir, oldCountsName+".lock"))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// oldCounts reads the counts of version 0.1.0. It returns nil when there are none.
func oldCounts(dir string, o sharedfile.Options) (*counts, error) {
	if !exists(filepath.Join(dir, oldCountsName)) {
		return nil, nil
	}
	o.Schema = oldCountsSchema
	file, err := sharedfile.Open(filepath.Join(dir, oldCountsName), o)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	c := &counts{}
	return c, file.View(c.readOld)
}

// readOld reads the counts of version 0.1.0.
func (c *counts) readOld(tx *sql.Tx) error {
	rows, err := tx.Query("SELECT user, salt, failures FROM attempts")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var u User
		var salt []byte
		var failures uint32
		if err := rows.Scan(&u, &salt, &failures); err != nil {
			return err
		}
		copy(c.of[u].salt[:], salt)
		c.of[u].failures = failures
	}
	return rows.Err()
}

// removeOldCounts removes the database. Processes of version 0.1.0 that have it open
// cannot check PINs from then on.
func removeOldCounts(dir string, o sharedfile.Options) error {
	if !oldCountsExist(dir) {
		return nil
	}
	return sharedfile.Remove(filepath.Join(dir, oldCountsName), o.Wait)
}
