// SPDX-License-Identifier: Apache-2.0

// Command module is libzk_pkcs11.so: the boundary between the C callers of
// PKCS#11 and package pkcs11, and nothing else.
//
// A call comes in by entry.c, which makes the host's thread ready for Go
// (crossing.c), starts the runtime when it is the first (start.c), sends it
// elsewhere in a forked child (fork.c), and goes on to the exported Go function
// of the same name. That makes Go values of the caller's pointers and calls the
// provider. Nothing that belongs to the caller is kept after the call, and C
// keeps nothing that belongs to Go.
package main

// #cgo CFLAGS: -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter -I${SRCDIR}/../include
// #cgo LDFLAGS: -ldl -lpthread
// #include "pkcs11.h"
import "C"

import (
	"sync"
	"sync/atomic"
	"time"

	"libzk_pkcs11/internal/trace"
	"libzk_pkcs11/pkcs11"
)

func main() {} // of a library, never called

// library is what stands between C_Initialize and C_Finalize.
type library struct {
	provider *pkcs11.Provider
	log      *trace.Logger
	tracer   *trace.Tracer // nil: calls are not traced
}

// The library as the process sees it: PKCS#11 has no handle for it.
var (
	current  atomic.Pointer[library] // nil before C_Initialize
	changing sync.Mutex              // held while current changes
)

// goInitialize reads the settings and opens neither store nor device. It is called by
// the first call after C_Initialize (fork.c), with the runtime started, in the host's
// thread: the host may be in dlopen, and what looks for a user may want to load a library.
//
//export goInitialize
func goInitialize() C.CK_RV {
	start := time.Now()
	changing.Lock()
	defer changing.Unlock()
	if current.Load() != nil {
		return C.CKR_CRYPTOKI_ALREADY_INITIALIZED
	}
	var l *library
	early := library{log: trace.NewLogger(trace.Error, "stderr")} // until the settings are known
	rv := early.run("C_Initialize", func(*pkcs11.Provider) (err error) {
		l, err = newLibrary()
		if err != nil {
			early.log.Errorf("%v", err)
		}
		return err
	})
	if rv == C.CKR_OK {
		current.Store(l)
		l.traceCall("C_Initialize", nil, start, rv)
	}
	return rv
}

// goFinalize lets no new call in and waits for those that are running.
//
//export goFinalize
func goFinalize() C.CK_RV {
	start := time.Now()
	changing.Lock()
	defer changing.Unlock()
	l := current.Swap(nil)
	if l == nil {
		return C.CKR_CRYPTOKI_NOT_INITIALIZED
	}
	rv := l.elsewhere("C_Finalize", func(p *pkcs11.Provider) error {
		p.Close()
		return nil
	})
	l.traceCall("C_Finalize", nil, start, rv)
	l.tracer.Close()
	return rv
}
