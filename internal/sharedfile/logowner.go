// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"libzk_pkcs11/internal/descriptor"
)

// SQLite copies any log that it finds into the file, that of another file too, and leaves a
// mixture of both. So each file has a random number in its first page (application_id),
// each log begins with a copy of that page, and a process that opens the file compares the two.

// ownerOffset is where application_id stands in the first page.
const ownerOffset = 68

// giveOwner gives a file its number, which is never 0, unless it has one: its log may begin
// with that.
func giveOwner(tx *sql.Tx) error {
	var now int
	if err := tx.QueryRow("PRAGMA application_id").Scan(&now); err != nil || now != 0 {
		return err
	}
	var b [4]byte
	rand.Read(b[:]) // never fails
	_, err := tx.Exec(fmt.Sprintf("PRAGMA application_id = %d", binary.BigEndian.Uint32(b[:])>>1|1))
	return err
}

// ownsLog returns ErrLog for a log that is another file's. It is called before SQLite opens
// the file.
func (o *opened) ownsLog() error {
	header, err := readStart(o.database, databaseHeader)
	if err != nil {
		return err
	}
	return o.beginsLog(header)
}

// ownsLogReadOnly is ownsLog for a file that SQLite only reads: it mixes both in memory
// then. What this user may not read SQLite does not use either.
func (o *opened) ownsLogReadOnly() error {
	header, err := beginning(o.dir, o.name, databaseHeader)
	if err == nil {
		err = o.beginsLog(header)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// beginsLog returns ErrLog when the log begins with the first page of another file than the
// one that begins with header.
func (o *opened) beginsLog(header []byte) error {
	if len(header) < databaseHeader {
		return nil
	}
	log, err := beginning(o.dir, o.name+logSuffix, logHeader+frameHeader+databaseHeader)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(log) < logHeader+frameHeader+databaseHeader {
		return nil
	}
	if err != nil {
		return err
	}
	frame, page := log[logHeader:], log[logHeader+frameHeader:]
	if binary.BigEndian.Uint32(frame) != 1 || string(frame[8:16]) != string(log[16:24]) {
		return nil // no frame of this log, or one that does not tell
	}
	own, logs := header[ownerOffset:][:4], page[ownerOffset:][:4]
	if none := "\x00\x00\x00\x00"; string(own) == none || string(logs) == none || string(own) == string(logs) {
		return nil
	}
	return fmt.Errorf("%w: put back %s or its log, whichever was exchanged", ErrLog, o.path)
}

// readStart returns the first bytes of an open file, as many as there are.
func readStart(file *descriptor.File, size int) ([]byte, error) {
	b := make([]byte, size)
	n, err := file.ReadAt(b, 0)
	if err == io.EOF {
		err = nil
	}
	return b[:n], err
}
