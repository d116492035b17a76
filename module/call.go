// SPDX-License-Identifier: Apache-2.0

package main

// #include "crossing.h"
// #include "faults.h"
import "C"

import (
	"crypto/fips140"
	"errors"
	"runtime/debug"
	"time"

	"libzk_pkcs11/internal/trace"
	"libzk_pkcs11/pkcs11"
)

// args are what a trace shows of the arguments of a call.
type args = []trace.Arg

// refusal is a panic by which convert.go turns down an argument of the caller;
// call makes its code the result.
type refusal pkcs11.Error

// call runs one function of PKCS#11 and returns its result as C sees it.
func call(name string, a args, f func(*pkcs11.Provider) error) C.CK_RV {
	l := current.Load()
	if l == nil {
		return C.CKR_CRYPTOKI_NOT_INITIALIZED
	}
	if l.tracer == nil {
		return l.run(name, f)
	}
	start := time.Now()
	rv := l.run(name, f)
	l.traceCall(name, a, start, rv)
	return rv
}

// lasting is call for a function that may take its time: it waits for a device that starts
// or for a PIN's key. Others wait for files, for the vendor's library and for one another,
// in such a way that signals are let through (pause, and crossing.h).
func lasting(name string, a args, f func(*pkcs11.Provider) error) C.CK_RV {
	l := current.Load()
	if l == nil {
		return C.CKR_CRYPTOKI_NOT_INITIALIZED
	}
	start := time.Now()
	rv := l.elsewhere(name, f)
	l.traceCall(name, a, start, rv)
	return rv
}

// onSlot is call for a function of a slot. Where the token is not there yet, its device has
// to be opened, which lasts; servers open sessions by the thousand once it is.
func onSlot(name string, slot C.CK_SLOT_ID, a args, f func(*pkcs11.Provider) error) C.CK_RV {
	if l := current.Load(); l != nil && l.provider.Present(uint(slot)) {
		return call(name, a, f)
	}
	return lasting(name, a, f)
}

// elsewhere is run on a goroutine of its own. The host's thread waits in C meanwhile,
// on its own stack, so that the host's signals are handled at once.
func (l *library) elsewhere(name string, f func(*pkcs11.Provider) error) (rv C.CK_RV) {
	errand := new(C.zk_errand)
	go func() {
		defer C.zk_done(errand)
		rv = l.run(name, f)
	}()
	C.zk_wait(errand)
	return rv
}

// pause is time.Sleep that lets the host's signals through, if the thread is the host's.
func pause(d time.Duration) {
	if C.zk_pause(C.uint64_t(d)) == 0 {
		time.Sleep(d)
	}
}

// within is call for a function of a session. That there is no such session is
// the answer before any complaint about the other arguments (section 5.1.7).
func within(name string, h C.CK_SESSION_HANDLE, a args, f func(*pkcs11.Provider) error) C.CK_RV {
	return during(0, name, h, a, f)
}

// during is within for a function that belongs to an operation of the session,
// which ends when an argument is refused before the provider sees it. The
// operation is given as a flag of C_SessionCancel.
func during(operation uint, name string, h C.CK_SESSION_HANDLE, a args, f func(*pkcs11.Provider) error) C.CK_RV {
	return call(name, a, func(p *pkcs11.Provider) error { return cancelling(p, uint(h), operation, f) })
}

// lastingWithin is within for a function that may take its time.
func lastingWithin(name string, h C.CK_SESSION_HANDLE, a args, f func(*pkcs11.Provider) error) C.CK_RV {
	return lasting(name, a, func(p *pkcs11.Provider) error { return cancelling(p, uint(h), 0, f) })
}

// cancelling runs f, and ends the operation of the session h when f panics.
func cancelling(p *pkcs11.Provider, h, operation uint, f func(*pkcs11.Provider) error) error {
	answered := false
	defer func() {
		if answered {
			return
		}
		if err := p.SessionCancel(h, operation); err != nil {
			panic(instead(recover(), err))
		}
	}()
	err := f(p)
	answered = true
	return err
}

// instead is the panic in whose place err comes, which is only that of a refusal.
func instead(problem any, err error) any {
	if _, ok := problem.(refusal); ok {
		return refusal(result(err))
	}
	return problem
}

// run keeps every panic inside the module. SetPanicOnFault makes one of a
// caller's pointer that leads nowhere, too.
func (l *library) run(name string, f func(*pkcs11.Provider) error) (rv C.CK_RV) {
	debug.SetPanicOnFault(true)
	defer func() {
		if problem := recover(); problem != nil {
			rv = l.recovered(name, problem)
		}
	}()
	if fips140.Enforced() {
		return unenforced(f, l.provider)
	}
	return result(f(l.provider))
}

// unenforced does what run does in a process with GODEBUG=fips140=only in its environment.
// That is meant for programs in Go, which ask for other algorithms only by mistake. A caller
// of PKCS#11 asks for those that it wants by name.
func unenforced(f func(*pkcs11.Provider) error, p *pkcs11.Provider) (rv C.CK_RV) {
	fips140.WithoutEnforcement(func() { rv = result(f(p)) })
	return rv
}

// badAddress is the panic at an address where no memory is. Those of the module's own mistakes
// are at NULL, and have no address.
type badAddress interface{ Addr() uintptr }

func (l *library) recovered(name string, problem any) C.CK_RV {
	if code, ok := problem.(refusal); ok {
		return C.CK_RV(code)
	}
	if bad, ok := problem.(badAddress); ok && C.zk_at_lost_file(C.uintptr_t(bad.Addr())) == 0 {
		l.log.Infof("%s: a pointer of the caller leads to where it has no memory, or none that can be written", name)
		l.log.Debugf("%s: at %#x: %s", name, bad.Addr(), debug.Stack())
		return C.CKR_ARGUMENTS_BAD
	}
	l.log.Errorf("%s: internal error: %v", name, problem)
	l.log.Debugf("%s: %s", name, debug.Stack())
	return C.CKR_GENERAL_ERROR
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

// traceCall writes the line of a call, if calls are traced. One whose arguments
// lead nowhere has none: the call itself has failed by then.
func (l *library) traceCall(name string, a args, start time.Time, rv C.CK_RV) {
	if l.tracer == nil {
		return
	}
	defer func() { _ = recover() }()
	text := "CKR_OK"
	if rv != C.CKR_OK {
		text = pkcs11.Error(rv).Error()
	}
	if err := l.tracer.Call(name, a, start, text); err != nil {
		l.log.Errorf("calls are not traced: %v", err)
	}
}
