// SPDX-License-Identifier: Apache-2.0

package zymbit

import "C"

import (
	"errors"
	"fmt"
	"syscall"

	"libzk_pkcs11/internal/scm"
)

// failure is a negative return code of the library.
type failure struct {
	call string
	code syscall.Errno
}

// failed returns the failure that a return code stands for, nil for success.
func failed(call string, rc C.int) error {
	if rc >= 0 {
		return nil
	}
	return &failure{call, syscall.Errno(-rc)}
}

// Error names the function of the library and what its code means.
func (f *failure) Error() string {
	return fmt.Sprintf("%s: %v (%d)", f.call, f.code, -int(f.code))
}

// Unwrap tells what the failure is to callers of the device. The codes of the
// library are not documented, but for a module that does not answer, so that
// all others are failures of the device; our own library tells two more.
func (f *failure) Unwrap() []error {
	switch f.code {
	case syscall.ETIMEDOUT:
		return []error{scm.ErrTimeout, f.code}
	case syscall.EKEYREVOKED:
		return []error{scm.ErrDestroyed, f.code}
	case syscall.ENOSPC:
		return []error{scm.ErrFull, f.code}
	}
	return []error{scm.ErrDevice, f.code}
}

// whatToDo tells what helps against an error of zkOpen, whose codes are not documented but
// look like those of a connection to the vendor's daemon.
func whatToDo(err error) string {
	switch {
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return "; this user may not reach the SCM: look at the groups of the daemon zkifc"
	case refused(err) && !timedOut(err):
		return "; look whether the daemon zkifc runs (systemctl status zkifc) and the SCM is plugged in"
	}
	return ""
}

// ErrLibrary means that the vendor's library is not there, or another one is.
var ErrLibrary = errors.New("the vendor's library does not load")

// libraryProblem is what is wrong with the vendor's library, without which there is no
// device.
type libraryProblem string

func (p libraryProblem) Error() string   { return ErrLibrary.Error() + ": " + string(p) }
func (p libraryProblem) Unwrap() []error { return []error{ErrLibrary, scm.ErrAbsent} }

var (
	errClosed = fmt.Errorf("SCM is closed: %w", scm.ErrAbsent)
	errSwap   = fmt.Errorf("the slot holds another key than before: %w", scm.ErrSlotEmpty)
)

func errHidden(s scm.Slot) error { return fmt.Errorf("slot %d: %w", int(s), scm.ErrExport) }
func errRange(s scm.Slot) error  { return fmt.Errorf("slot %d: %w", int(s), scm.ErrSlotRange) }
func errEmpty(s scm.Slot) error  { return fmt.Errorf("slot %d: %w", int(s), scm.ErrSlotEmpty) }

// timedOut reports whether the module did not answer.
func timedOut(err error) bool { return errors.Is(err, scm.ErrTimeout) }

// refused reports whether the library or the module answered with a failure.
func refused(err error) bool {
	var f *failure
	return errors.As(err, &f)
}

// oddity is an answer that cannot be right.
type oddity struct{ call, what string }

func (o *oddity) Error() string { return o.call + ": gave " + o.what }
func (*oddity) Unwrap() error   { return scm.ErrDevice }

// unable reports whether a call failed that the module had the time to answer: it, or the
// library, lacks the ability, unless the context is dead.
func unable(err error) bool {
	var o *oddity
	return (refused(err) || errors.As(err, &o)) && !timedOut(err) && !errors.Is(err, scm.ErrDestroyed)
}

// lacksFunction reports whether the library does not have the function at all.
func lacksFunction(err error) bool { return errors.Is(err, syscall.ENOSYS) }
