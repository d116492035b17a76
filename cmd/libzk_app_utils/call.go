// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdint.h>
import "C"

import (
	"crypto/fips140"
	"errors"
	"runtime/debug"
	"syscall"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/trace"
)

// refusal is a panic by which convert.go turns down an argument of the caller.
type refusal struct{ error }

// call runs a function that returns 0 when it succeeds.
func call(ctx context, f func(*device) error) C.int {
	return answer(ctx, func(d *device) (int, error) { return 0, f(d) })
}

// answer runs a function that returns a number when it succeeds.
func answer(ctx context, f func(*device) (int, error)) C.int {
	x, err := contexts.find(ctx)
	if err != nil {
		return code(err)
	}
	return guard(x.log, x.code, func() (int, error) { return f(x.device) })
}

// code returns what C gets for an error by the settings of the connection.
func (x connection) code(err error) C.int {
	c, plain := code(err), x.device.Options().ErrorCode
	if plain == 0 || c == -C.int(syscall.ETIMEDOUT) {
		return c
	}
	return -C.int(plain)
}

// guard makes an error its code, and keeps every panic inside of the library.
// SetPanicOnFault makes one of a caller's pointer that leads nowhere, too.
func guard(log *trace.Logger, code func(error) C.int, f func() (int, error)) (result C.int) {
	debug.SetPanicOnFault(true)
	defer func() {
		if problem := recover(); problem != nil {
			result = code(recovered(log, problem))
		}
	}()
	n, err := unenforced(f)
	if err != nil {
		report(log, err)
		return code(err)
	}
	return C.int(n)
}

// unenforced calls f, also with GODEBUG=fips140=only in the environment, with which Go's
// cryptography refuses what this API offers.
func unenforced(f func() (int, error)) (n int, err error) {
	fips140.WithoutEnforcement(func() { n, err = f() })
	return n, err
}

func recovered(log *trace.Logger, problem any) error {
	if r, ok := problem.(refusal); ok {
		return r.error
	}
	log.Errorf("internal error: %v", problem)
	return scm.ErrDevice
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
