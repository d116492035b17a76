// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import (
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

// within is call for a function of a session. That there is no such session is
// the answer before any complaint about the other arguments (section 5.1.7).
func within(name string, h C.CK_SESSION_HANDLE, a args, f func(*pkcs11.Provider) error) C.CK_RV {
	return during(0, name, h, a, f)
}

// during is within for a function that belongs to an operation of the session,
// which ends when an argument is refused before the provider sees it. The
// operation is given as a flag of C_SessionCancel.
func during(operation uint, name string, h C.CK_SESSION_HANDLE, a args, f func(*pkcs11.Provider) error) C.CK_RV {
	return call(name, a, func(p *pkcs11.Provider) error {
		answered := false
		defer func() {
			if answered {
				return
			}
			if err := p.SessionCancel(uint(h), operation); err != nil {
				panic(instead(recover(), err))
			}
		}()
		err := f(p)
		answered = true
		return err
	})
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
	return result(f(l.provider))
}

func (l *library) recovered(name string, problem any) C.CK_RV {
	if code, ok := problem.(refusal); ok {
		return C.CK_RV(code)
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
	l.tracer.Call(name, a, start, text)
}
