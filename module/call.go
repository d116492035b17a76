// SPDX-License-Identifier: Apache-2.0

package main

// #include "crossing.h"
// #include "faults.h"
import "C"

import (
	"errors"
	"runtime/debug"
	"slices"
	"time"

	"libzk_pkcs11/internal/trace"
	"libzk_pkcs11/pkcs11"
)

// call is a call of a function of PKCS#11. An export begins it, converts its arguments, has
// the provider work if it is accepted, and defers its end.
type call struct {
	library *library // nil before C_Initialize
	name    string
	traced  *traced // nil: calls are not traced
	err     error   // what has come of the call so far
	refused bool    // an argument was
}

// traced is what a trace shows of a call.
type traced struct {
	start time.Time
	args  []trace.Arg
}

// begin begins a call. SetPanicOnFault makes a panic of a caller's pointer that leads nowhere.
func (c *call) begin(name string, a ...trace.Arg) {
	c.library, c.name = current.Load(), name
	if c.library == nil {
		c.err = pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED
		return
	}
	debug.SetPanicOnFault(true)
	if c.library.tracer != nil {
		c.traced = &traced{time.Now(), slices.Clone(a)}
	}
}

// accepted reports whether nothing has been found yet for which the call is not to be made.
func (c *call) accepted() bool { return c.err == nil }

// refuse makes a complaint about an argument the answer, unless there is another.
func (c *call) refuse(code pkcs11.Error) {
	if c.accepted() {
		c.err, c.refused = code, true
	}
}

// end makes rv the result of a call, and keeps every panic inside the module.
func (c *call) end(rv *C.CK_RV) {
	if problem := recover(); problem != nil {
		c.failWith(problem)
	}
	c.answer(rv)
}

// endWithin is end for a call within a session. That there is no such session is the answer
// before any complaint about the other arguments (section 5.1.7).
func (c *call) endWithin(rv *C.CK_RV, h C.CK_SESSION_HANDLE) {
	if problem := recover(); problem != nil {
		c.failWith(problem)
	}
	if c.refused {
		c.cancel(h, 0)
	}
	c.answer(rv)
}

// endOperation is endWithin for a call that goes on with an operation of the session, which
// ends when the provider has not seen the call, or not to its end. The operation is given as
// a flag of C_SessionCancel.
func (c *call) endOperation(rv *C.CK_RV, h C.CK_SESSION_HANDLE, operation uint) {
	problem := recover()
	if problem != nil {
		c.failWith(problem)
	}
	if c.refused || problem != nil {
		c.cancel(h, operation)
	}
	c.answer(rv)
}

// cancel ends an operation of the session of a call, if there is such a session.
func (c *call) cancel(h C.CK_SESSION_HANDLE, operation uint) {
	defer c.catchPanic()
	if err := c.library.provider.SessionCancel(uint(h), operation); err != nil && c.refused {
		c.err = err
	}
}

// catchPanic is deferred, and makes a panic the result of the call.
func (c *call) catchPanic() {
	if problem := recover(); problem != nil {
		c.failWith(problem)
	}
}

// answer makes rv the result of a call, and writes its line in the trace.
func (c *call) answer(rv *C.CK_RV) {
	if c.err != nil {
		*rv = result(c.err)
	}
	if c.traced != nil {
		c.library.traceCall(c.name, c.traced, *rv)
	}
}

// onSlot works for a function of a slot. Where the token is not there yet, its device has
// to be opened, which lasts; servers open sessions by the thousand once it is.
func (c *call) onSlot(slot C.CK_SLOT_ID, work func(*pkcs11.Provider) error) {
	if c.library.provider.Present(uint(slot)) {
		c.err = work(c.library.provider)
		return
	}
	c.elsewhere(work)
}

// elsewhere works for a function that may take its time: it waits for a device that starts
// or for a PIN's key. The work is done on a goroutine of its own, and the host's thread waits
// in C meanwhile, on its own stack, so that the host's signals are handled at once. Other
// functions wait for files, for the vendor's library and for one another, in such a way that
// signals are let through (pause, and crossing.h).
func (c *call) elsewhere(work func(*pkcs11.Provider) error) {
	done, there := new(C.zk_errand), &call{library: c.library, name: c.name}
	go there.doErrand(done, work)
	C.zk_wait(done)
	c.err = there.err
}

func (c *call) doErrand(done *C.zk_errand, work func(*pkcs11.Provider) error) {
	defer C.zk_done(done)
	defer c.catchPanic()
	debug.SetPanicOnFault(true)
	c.err = work(c.library.provider)
}

// pause is time.Sleep that lets the host's signals through, if the thread is the host's.
func pause(d time.Duration) {
	if C.zk_pause(C.uint64_t(d)) == 0 {
		time.Sleep(d)
	}
}

// badAddress is the panic at an address where no memory is. Those of the module's own mistakes
// are at NULL, and have no address.
type badAddress interface{ Addr() uintptr }

// failWith logs a panic and makes it the result of the call.
func (c *call) failWith(problem any) {
	log := c.library.log
	if bad, ok := problem.(badAddress); ok && C.zk_at_lost_file(C.uintptr_t(bad.Addr())) == 0 {
		log.Infof("%s: a pointer of the caller leads to where it has no memory, or none that can be written", c.name)
		log.Debugf("%s: at %#x: %s", c.name, bad.Addr(), debug.Stack())
		c.err = pkcs11.CKR_ARGUMENTS_BAD
		return
	}
	log.Errorf("%s: internal error: %v", c.name, problem)
	log.Debugf("%s: %s", c.name, debug.Stack())
	c.err = pkcs11.CKR_GENERAL_ERROR
}

// result returns the CK_RV of an error of the provider.
func result(err error) C.CK_RV {
	if err == nil {
		return C.CKR_OK
	}
	if code, ok := err.(pkcs11.Error); ok { // nearly always, and costs nothing
		return C.CK_RV(code)
	}
	var code pkcs11.Error
	if errors.As(err, &code) {
		return C.CK_RV(code)
	}
	return C.CKR_GENERAL_ERROR
}

// traceCall writes the line of a call. One whose arguments lead nowhere has none: the call
// itself has failed by then.
func (l *library) traceCall(name string, t *traced, rv C.CK_RV) {
	defer dropPanic()
	text := "CKR_OK"
	if rv != C.CKR_OK {
		text = pkcs11.Error(rv).Error()
	}
	if err := l.tracer.Call(name, t.args, t.start, text); err != nil {
		l.log.Errorf("calls are not traced: %v", err)
	}
}

// dropPanic is deferred where what fails is not worth a word.
func dropPanic() { _ = recover() }
