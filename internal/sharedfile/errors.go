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
	ErrMissing  = errors.New("file is missing or empty")
	ErrLog      = errors.New("log is that of another file")
	ErrRemoved  = errors.New("file has been removed")
	ErrReplaced = errors.New("the files were changed while they were in use, and have to be opened anew")
	ErrRefused  = descriptor.ErrRefused
	ErrLost     = descriptor.ErrLost
)

// errEmpty is of a database that holds nothing, where it should.
var errEmpty = fmt.Errorf("%w, but its log is not: put it back from a backup", ErrMissing)

// withoutName leaves nothing of an error but ErrLost when it is that: it is true of all
// files at once, and a caller that logs it should say so once.
func withoutName(err error) error {
	if errors.Is(err, ErrLost) {
		return ErrLost
	}
	return err
}

// describe adds the path and the sentinel of this package to an error that comes
// from SQLite or from the system. Others it leaves alone.
func describe(path string, err error) error {
	var failure sqlite3.Error
	kind := systemKind(err)
	if errors.As(err, &failure) {
		if failure.SystemErrno == unix.EBADF {
			return ErrLost
		}
		if kind = systemKind(failure.SystemErrno); kind == nil {
			kind = kindOf(failure.Code)
		}
	} else if kind == nil {
		return named(path, err)
	}
	if kind == nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Errorf("%s: %w: %w", path, kind, err)
}

// named adds the path to a sentinel that comes alone.
func named(path string, err error) error {
	if err == ErrBusy || err == ErrFull || err == ErrRemoved || err == ErrMissing || err == errCut || err == errLogDamaged {
		return fmt.Errorf("%s: %w", path, err)
	}
	return err
}

// systemKind returns ErrFull where a system call has said so.
func systemKind(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return ErrFull
	}
	return nil
}

func kindOf(code sqlite3.ErrNo) error {
	switch code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrProtocol:
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
