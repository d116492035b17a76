// SPDX-License-Identifier: Apache-2.0

package main

import "C"

import (
	"errors"
	"syscall"

	"libzk_pkcs11/internal/scm"
)

// The errors of this library's own.
var (
	errOpen     = errors.New("cannot open the soft SCM")
	errContext  = errors.New("context is not open")
	errArgument = errors.New("argument is not valid")
	errTooLong  = errors.New("too long")
)

// codes are the errno values of errors. The vendor documents ETIMEDOUT only,
// for a module that does not answer and for the end of a wait; the others are
// chosen.
var codes = []struct {
	cause error
	code  syscall.Errno
}{
	{errContext, syscall.EBADF},
	{errArgument, syscall.EINVAL},
	{errTooLong, syscall.EMSGSIZE},
	{scm.ErrSlotRange, syscall.EINVAL},
	{scm.ErrInput, syscall.EINVAL},
	{scm.ErrSlotEmpty, syscall.ENOENT},
	{scm.ErrSlotTaken, syscall.EEXIST},
	{scm.ErrPermanent, syscall.EPERM},
	{scm.ErrFull, syscall.ENOSPC},
	{scm.ErrCurve, syscall.EOPNOTSUPP},
	{scm.ErrSealed, syscall.EACCES},
	{scm.ErrExport, syscall.EPERM},
	{scm.ErrFixed, syscall.EPERM},
	{scm.ErrName, syscall.EEXIST},
	{scm.ErrBusy, syscall.EBUSY},
	{scm.ErrAuth, syscall.EBADMSG},
	{scm.ErrAbility, syscall.EOPNOTSUPP},
	{scm.ErrReadOnly, syscall.EROFS},
	{scm.ErrDestroyed, syscall.EKEYREVOKED},
	{scm.ErrAbsent, syscall.ETIMEDOUT},
	{scm.ErrTimeout, syscall.ETIMEDOUT},
	{scm.ErrDevice, syscall.EIO},
}

// errorCode returns what C gets for an error. That of a file is the system's own.
func errorCode(err error) C.int {
	for _, c := range codes {
		if errors.Is(err, c.cause) {
			return -C.int(c.code)
		}
	}
	var system syscall.Errno
	if errors.As(err, &system) {
		return -C.int(system)
	}
	return -C.int(syscall.EIO)
}
