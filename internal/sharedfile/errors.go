// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"
	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

// The errors of this package. They come wrapped; use errors.Is.
var (
	ErrReadOnly = errors.New("file cannot be written")
	ErrBusy     = errors.New("file is in use by others")
	ErrCorrupt  = errors.New("file is damaged")
	ErrFull     = errors.New("disk is full")
	ErrFormat   = errors.New("file was made by a newer release")
	ErrRemoved  = errors.New("file has been removed")
	ErrLost     = descriptor.ErrLost
)

// plain leaves nothing of an error but ErrLost when it is that: it is true of all
// files at once, and who logs it should say so once.
func plain(err error) error {
	if errors.Is(err, ErrLost) {
		return ErrLost
	}
	return err
}

// describe adds the path and the sentinel of this package to an error that comes
// from SQLite. Others it leaves alone.
func describe(path string, err error) error {
	var failure sqlite3.Error
	if !errors.As(err, &failure) {
		return err
	}
	if failure.SystemErrno == unix.EBADF {
		return ErrLost
	}
	switch failure.SystemErrno {
	case unix.ENOSPC, unix.EDQUOT:
		return fmt.Errorf("%s: %w: %w", path, ErrFull, err)
	}
	if kind := kindOf(failure.Code); kind != nil {
		return fmt.Errorf("%s: %w: %w", path, kind, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

func kindOf(code sqlite3.ErrNo) error {
	switch code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return ErrBusy
	case sqlite3.ErrFull:
		return ErrFull
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return ErrCorrupt
	case sqlite3.ErrReadonly, sqlite3.ErrPerm:
		return ErrReadOnly
	}
	return nil
}
