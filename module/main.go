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
	"runtime/debug"
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
func goInitialize() (rv C.CK_RV) {
	changing.Lock()
	defer changing.Unlock()
	if current.Load() != nil {
		return C.CKR_CRYPTOKI_ALREADY_INITIALIZED
	}
	early := &library{log: trace.NewLogger(trace.Error, "stderr")} // until the settings are known
	c := call{library: early, name: "C_Initialize"}
	start := time.Now()
	debug.SetPanicOnFault(true)
	defer c.end(&rv)
	l, err := newLibrary()
	if err != nil {
		early.log.Errorf("%v", err)
		c.err = err
		return rv
	}
	current.Store(l)
	if c.library = l; l.tracer != nil {
		c.traced = &traced{start: start}
	}
	return rv
}

// goFinalize lets no new call in and waits for those that are running.
//
//export goFinalize
func goFinalize() (rv C.CK_RV) {
	changing.Lock()
	defer changing.Unlock()
	var c call
	c.begin("C_Finalize")
	if !c.accepted() {
		return result(c.err)
	}
	current.Store(nil)
	defer c.library.tracer.Close()
	defer c.end(&rv)
	c.elsewhere((*pkcs11.Provider).Close)
	return rv
}
