// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/sharedfile"
)

// changesName is the name of the file in Options.State.
const changesName = "zymbit.db"

// schema: n counts the changes of a key slot.
const schema = `CREATE TABLE slot (number INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;`

// wholeModule stands among the changes for a module that is gone, or its keys are.
const wholeModule scm.Slot = -1 << 20

// changes is how devices on one module tell one another which key slots they
// have changed, in whatever processes they are. Without a file it tells nothing.
type changes struct{ file *sharedfile.File }

// Used reports whether a module has answered with that Options.State before.
func Used(state string) bool {
	_, err := os.Stat(filepath.Join(state, changesName))
	return err == nil
}

func openChanges(o Options) (*changes, error) {
	if o.State == "" {
		return &changes{}, nil
	}
	file, err := sharedfile.Open(filepath.Join(o.State, changesName), sharedfile.Options{
		Schema: schema, Mode: o.Mode, Group: o.Group, Process: o.Process,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrDevice, err)
	}
	return &changes{file}, nil
}

// version changes whenever note was called, by whichever process.
func (c *changes) version() uint64 {
	if c.file == nil {
		return 0
	}
	return c.file.Version()
}

// marks returns for each key slot that was changed a number that is different
// after each change.
func (c *changes) marks() (map[scm.Slot]int64, error) {
	marks := map[scm.Slot]int64{}
	if c.file == nil {
		return marks, nil
	}
	err := c.file.View(func(tx *sql.Tx) error {
		rows, err := tx.Query("SELECT number, n FROM slot")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s scm.Slot
			var n int64
			if err := rows.Scan(&s, &n); err != nil {
				return err
			}
			marks[s] = n
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrDevice, err)
	}
	return marks, nil
}

// noteSlot tells that a key slot was changed. The module has done so already: where
// the file cannot be written, others find out by themselves after a while.
func (c *changes) noteSlot(s scm.Slot) {
	if c.file == nil {
		return
	}
	_ = c.file.Update(func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO slot VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1", int(s))
		return err
	})
}

func (c *changes) close() error {
	if c.file == nil {
		return nil
	}
	return c.file.Close()
}
