// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"database/sql"
	"fmt"
	"slices"
)

// upgrade makes the file, or an old one new, and tells those who have it open. It is
// called with the file's lock alone.
func (o *opened) upgrade(format int) error {
	if o.before != nil || o.gen.unsettled() { // SQLite has just looked at the index of a writer that died, or made it
		o.gen.settle()
	}
	if format == o.options.format() {
		return nil
	}
	if format == 0 && (o.before != nil || o.options.Existing) {
		return ErrMissing
	}
	if err := o.gen.beginChange(); err != nil {
		return err
	}
	defer o.gen.endChange()
	if err := upgrade(o.writer.DB, format, o.options); err != nil {
		return err
	}
	// The file itself says from now on whose the log is.
	if _, err := checkpoint(o.writer, "PASSIVE"); err != nil {
		return err
	}
	if format > 0 {
		_, err := o.gen.tellChange(allParts)
		return err
	}
	return nil
}

// formatOf returns the format of a file, 0 when it has no schema.
func formatOf(db *sql.DB, o Options) (format int, err error) {
	if err := db.QueryRow("PRAGMA user_version").Scan(&format); err != nil {
		return 0, err
	}
	return format, o.checkFormat(format)
}

// checkFormat returns ErrFormat for a format that a newer release has made.
func (o Options) checkFormat(format int) error {
	if format < 0 || format > o.format() {
		return fmt.Errorf("%w: format %d, the newest known is %d", ErrFormat, format, o.format())
	}
	return nil
}

// upgradesFrom are the statements that make the newest format of another; 0 stands for none.
func (o Options) upgradesFrom(format int) []string {
	steps := []string{o.Schema}
	if format > 0 {
		steps = o.Upgrades[format-1:]
	}
	return slices.Concat(steps, []string{fmt.Sprintf("PRAGMA user_version = %d", o.format())})
}

// upgrade takes a file to the newest format, in one transaction.
func upgrade(db *sql.DB, format int, o Options) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, step := range o.upgradesFrom(format) {
		if _, err := tx.Exec(step); err != nil {
			return err
		}
	}
	if err := giveOwner(tx); err != nil {
		return err
	}
	return tx.Commit()
}
