// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/setup"
)

// unwritable is a file of a result that could not be written, of which everything is said.
type unwritable struct{ error }

func (e *unwritable) Unwrap() error { return e.error }

// notWritten says that the file which something names cannot be written.
func notWritten(named string, err error) error {
	return &unwritable{fmt.Errorf("%s cannot be written: %w; %s", named, err, wayToWrite(err))}
}

// wayToWrite is what to do about a file that cannot be written.
func wayToWrite(err error) string {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return "make room there, or name a file on another disk"
	}
	return "it has to be in a directory that there is, and that this user can write"
}

// nameless is an error of a file that is named already where it is told.
type nameless struct{ error }

func (e *nameless) Error() string {
	if cause := errors.Unwrap(e.error); cause != nil {
		return cause.Error()
	}
	return e.error.Error()
}

func (e *nameless) Unwrap() error { return e.error }

// pathOfError returns the file that an error is about, or nothing.
func pathOfError(err error) string {
	var onPath *fs.PathError
	var onTwo *os.LinkError
	switch {
	case errors.As(err, &onPath):
		return onPath.Path
	case errors.As(err, &onTwo):
		return onTwo.New
	}
	return ""
}

// isOfState reports whether a path is a state directory of the settings, in one, or on the way to one.
func isOfState(path string) bool {
	c, err := config.Load(os.Getenv)
	if err != nil {
		return false
	}
	for _, s := range setup.Placed(c).Slots {
		if isBelow(path, s.State) || isBelow(s.State, path) {
			return true
		}
	}
	return false
}

// isBelow reports whether a path is a directory or in it.
func isBelow(path, directory string) bool {
	between, err := filepath.Rel(directory, path)
	return err == nil && between != ".." && !strings.HasPrefix(between, "../")
}
