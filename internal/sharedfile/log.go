// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"libzk_pkcs11/internal/descriptor"
)

// SQLite copies its log into the file here alone, and when the last user closes it:
// never by itself. Then nobody is in the file. Its log is never empty on the disk: it
// begins anew in the bytes that it has, so that a full disk leaves it room to write.

const (
	emptyWait = 100 * time.Millisecond // how long a call waits to be alone with the log, when that is what it is for
	longWait  = 5 * time.Millisecond   // and when the log has become long because nobody ever was
)

// frames are pages of the file in the log.
type frames struct{ all, copied int }

// checkpoint asks SQLite for a checkpoint; NOOP only tells how long the log is.
func checkpoint(db *writer, mode string) (log frames, err error) {
	var busy int
	err = askNumbers(db.conn, "PRAGMA wal_checkpoint("+mode+")", &busy, &log.all, &log.copied)
	if err == nil && (busy != 0 || mode != "NOOP" && log.copied < log.all) {
		err = ErrBusy
	}
	return log, err
}

func (o *opened) purgeLog(p patience) error {
	if o.readOnly {
		return fmt.Errorf("%s: %w", o.path, ErrReadOnly)
	}
	if err := o.gen.storeWord(wordPurge, 1); err != nil {
		return describe(o.path, err)
	}
	release, err := o.writeLock.exclusive(p)
	if err != nil {
		return describe(o.path, err)
	}
	defer release()
	if err := o.unchanged(); err != nil {
		return describe(o.path, err)
	}
	return describe(o.path, o.wipeLog(p.atMost(emptyWait)))
}

// tidyLog is called with the write lock, after each transaction. Whatever it cannot do
// now is left to the next one.
func (o *opened) tidyLog(p patience, err error) {
	if err == nil && o.gen.loadWord(wordRoom) == 1 {
		o.restoreRoom()
	}
	switch {
	case o.gen.loadWord(wordPurge) == 1:
		_ = o.wipeLog(p.atMost(0))
	case errors.Is(err, ErrFull):
		_ = o.emptyLog(p.atMost(0))
	case o.logged >= 2*o.budget.log:
		o.shortenLog(p.atMost(longWait))
	default:
		o.shortenLog(p.atMost(0))
	}
}

// shortenLog empties a log that has become long.
func (o *opened) shortenLog(p patience) {
	if o.logged >= o.budget.log {
		_ = o.emptyLog(p)
	}
}

// emptyLog copies the log into the file. It is called with the write lock.
func (o *opened) emptyLog(p patience) error {
	release, err := o.copyLog(p)
	if err != nil {
		return err
	}
	defer release()
	if sizeOf(o.log) <= o.logSize(2*o.budget.log) {
		return nil
	}
	return o.cutLog()
}

// wipeLog is emptyLog that leaves nothing of what stood in the log.
func (o *opened) wipeLog(p patience) error {
	release, err := o.copyLog(p)
	if err != nil {
		return err
	}
	defer release()
	if err := o.cutLog(); err != nil {
		return err
	}
	if err := overwriteWithZeros(o.log, o.logSize(1), sizeOf(o.log)); err != nil {
		return withoutName(err)
	}
	return o.gen.storeWord(wordPurge, 0)
}

// copyLog copies the log into the file, and returns with the file's lock alone.
func (o *opened) copyLog(p patience) (release func(), err error) {
	release, err = o.aloneIn(p)
	if err != nil {
		return nil, err
	}
	if err := o.copyAlone(); err != nil {
		release()
		return nil, err
	}
	o.logged = 0
	return release, nil
}

func (o *opened) copyAlone() error {
	if o.gen.unsettled() {
		return ErrBusy // a repair comes first
	}
	if err := errors.Join(o.companions.inspect(o), o.logWhole()); err != nil {
		return err
	}
	_, err := checkpoint(o.writer, "RESTART")
	return err
}

// restartLog has the log begin anew by a transaction that changes nothing. What stands
// behind it in the log is then no part of it any more, also after a loss of power:
// SQLite syncs the log's new header before it writes more.
func (o *opened) restartLog() error {
	if err := o.gen.beginChange(); err != nil {
		return err
	}
	defer o.gen.endChange()
	return errors.Join(rewriteFormat(o.writer), setSynchronous(o.writer, full))
}

func rewriteFormat(db *writer) error {
	if err := setSynchronous(db, normal); err != nil {
		return err
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := writeFirstPage(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// writeFirstPage has a transaction write the first page of the file as it is.
func writeFirstPage(tx *sql.Tx) error {
	var format int
	if err := tx.QueryRow("PRAGMA user_version").Scan(&format); err != nil {
		return err
	}
	_, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", format))
	return err
}

// synchronous says what a commit waits for (pragma.html, "synchronous").
type synchronous string

const (
	full   synchronous = "FULL"   // until it is on stable storage
	normal synchronous = "NORMAL" // for nothing
)

// setSynchronous has commits wait, or spares one that holds nothing the wait. Where it fails they
// may do either, and the next call tries again.
func setSynchronous(db *writer, next synchronous) error {
	if db.synchronous == next {
		return nil
	}
	db.synchronous = ""
	err := execute(db.conn, "PRAGMA synchronous = "+string(next))
	if err == nil {
		db.synchronous = next
	}
	return err
}

// The sizes of the headers of the log and of a frame (fileformat.html, "The
// Write-Ahead Log").
const (
	logHeader   = 32
	frameHeader = 24
)

// logSize is how many bytes a log of so many frames has.
func (o *opened) logSize(frames int) int64 {
	return logHeader + int64(frames)*int64(frameHeader+o.pageSize)
}

// cutLog has the log begin anew, and cuts what is longer than it should be behind its one page.
func (o *opened) cutLog() error {
	if err := o.restartLog(); err != nil {
		return err
	}
	log, err := checkpoint(o.writer, "NOOP")
	if err != nil {
		return err
	}
	if log.all != 1 {
		return ErrBusy
	}
	stat, err := o.log.Stat()
	if err != nil {
		return withoutName(err)
	}
	if end := o.logSize(o.budget.kept); stat.Size > end {
		return withoutName(o.log.Truncate(end))
	}
	return nil
}

// overwriteWithZeros writes zeros where something else is.
func overwriteWithZeros(file *descriptor.File, from, to int64) error {
	const step = 1 << 16
	zeros, b := make([]byte, step), make([]byte, step)
	for from < to {
		n, err := file.ReadAt(b[:min(step, to-from)], from)
		if err != nil {
			return err
		}
		if !bytes.Equal(b[:n], zeros[:n]) {
			if err := file.WriteZeros(from, from+int64(n)); err != nil {
				return err
			}
		}
		from += int64(n)
	}
	return nil
}

// lengthenLog gives the log the bytes that it is to have at least. The disk may be
// too full for that.
func (o *opened) lengthenLog() { _ = o.log.WriteZeros(sizeOf(o.log), o.logSize(o.budget.kept)) }
