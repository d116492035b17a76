// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdint.h>
import "C"

import (
	"errors"
	"runtime/debug"
	"syscall"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/trace"
)

// call is a call of a function of the API. An export begins it, converts its arguments, has
// the device work if they are accepted, and defers its end.
type call struct {
	connection       // without a device where no context is open
	err        error // what has come of the call so far
}

// begin begins a call in a context. SetPanicOnFault makes a panic of a caller's pointer that
// leads nowhere.
func (c *call) begin(ctx context) {
	debug.SetPanicOnFault(true)
	c.connection, c.err = contexts.find(ctx)
}

// beginOutside begins a call that opens a context or closes one.
func (c *call) beginOutside() {
	debug.SetPanicOnFault(true)
	c.log = trace.NewLogger(trace.Error, "stderr")
}

// accepted reports whether nothing has been found yet for which the call is not to be made.
func (c *call) accepted() bool { return c.err == nil }

// refuse makes a complaint about an argument the answer, unless there is another.
func (c *call) refuse(complaint error) {
	if c.accepted() {
		c.err = complaint
	}
}

// succeeded notes what has come of the device's work, and reports whether that is no error.
func (c *call) succeeded(err error) bool {
	c.err = err
	return err == nil
}

// end makes the error of a call, if there is one, its result, and keeps every panic inside
// the library.
func (c *call) end(result *C.int) {
	if problem := recover(); problem != nil {
		c.log.Errorf("internal error: %v", problem)
		*result = c.code(scm.ErrDevice)
		return
	}
	if c.err != nil {
		report(c.log, c.err)
		*result = c.code(c.err)
	}
}

// code returns what C gets for an error by the settings of the connection.
func (x connection) code(err error) C.int {
	c := errorCode(err)
	if x.device == nil || c == -C.int(syscall.ETIMEDOUT) {
		return c
	}
	if plain := x.device.Options().ErrorCode; plain != 0 {
		return -C.int(plain)
	}
	return c
}

// report logs what a caller can do nothing about as an error, and the rest for
// those who look for a mistake.
func report(log *trace.Logger, err error) {
	switch {
	case errors.Is(err, scm.ErrSealed):
		log.Errorf(`the soft SCM is sealed by a PIN, which this API does not know: it needs soft.seal = "device"`)
	case errors.Is(err, errOpen), errors.Is(err, scm.ErrDevice), errors.Is(err, scm.ErrDestroyed):
		log.Errorf("%v", err)
	default:
		log.Debugf("%v", err)
	}
}
