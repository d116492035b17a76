// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"

	"libzk_pkcs11/internal/descriptor"
)

// Where a file is missing or empty, SQLite deletes its log, from which the file could be
// saved or which goes with the file that is put back. So a caller who knows that there has to
// be a file (Options.Existing) has it looked at without SQLite.

// The header of a database (fileformat.html, "The Database Header") and the first bytes
// of a log.
const (
	databaseMagic  = "SQLite format 3\x00"
	databaseHeader = 100
	formatOffset   = 60         // of user_version
	logMagic       = 0x377f0682 // the last bit is an order of bytes
)

// vacant reports whether Open would make a file anew: there is none, it is empty,
// or it has no schema. It changes nothing.
func vacant(dir *descriptor.Directory, name string) (bool, error) {
	header, err := beginning(dir, name, databaseHeader)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err != nil:
		return false, err
	case len(header) == 0:
		return true, nil
	case len(header) < databaseHeader || string(header[:len(databaseMagic)]) != databaseMagic:
		return false, nil // damaged
	case binary.BigEndian.Uint32(header[formatOffset:]) != 0:
		return false, nil
	}
	// The schema may still be in the log.
	log, err := beginning(dir, name+logSuffix, 4)
	if err != nil || len(log) < 4 {
		return true, nil
	}
	return binary.BigEndian.Uint32(log)&^1 != logMagic, nil
}

// beginning returns the first bytes of a file, as many as there are.
func beginning(dir *descriptor.Directory, name string, size int) ([]byte, error) {
	file, err := dir.Open(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readStart(file, size)
}
