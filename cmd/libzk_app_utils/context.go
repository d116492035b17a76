// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdint.h>
import "C"

import (
	"fmt"
	"sync"

	"libzk_pkcs11/internal/scm/soft/wallet"
	"libzk_pkcs11/internal/trace"
)

// context is what a zkCTX stands for. It is never used again for another, so
// that one which is closed stays invalid.
type context = C.uintptr_t

// contexts are the open ones of this process: the API has no handle for them.
var contexts = table{next: 1 << 16, open: map[context]connection{}}

// device is the soft SCM with all that the vendor's API makes of it.
type device = wallet.Device

// connection is what one zkOpen has opened.
type connection struct {
	device *device
	log    *trace.Logger
}

// table gives each connection a number.
type table struct {
	mu   sync.RWMutex
	next context
	open map[context]connection
}

func (t *table) add(x connection) context {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.next
	t.next++
	t.open[c] = x
	return c
}

// find returns what a context stands for, errContext for one that is not open.
func (t *table) find(c context) (connection, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	x, ok := t.open[c]
	if !ok {
		return x, errContext
	}
	return x, nil
}

// remove closes a context.
func (t *table) remove(c context) error {
	t.mu.Lock()
	x, ok := t.open[c]
	delete(t.open, c)
	t.mu.Unlock()
	if !ok {
		return errContext
	}
	return x.device.Close()
}

//export goOpen
func goOpen(ctx *context) C.int {
	return guard(stderr(), code, func() (int, error) {
		need(ctx)
		x, err := connect()
		if err != nil {
			return 0, fmt.Errorf("%w: %w", errOpen, err)
		}
		*ctx = contexts.add(x)
		return 0, nil
	})
}

//export goClose
func goClose(ctx context) C.int {
	return guard(stderr(), code, func() (int, error) { return 0, contexts.remove(ctx) })
}

// stderr is the log of what happens without a connection.
func stderr() *trace.Logger { return trace.NewLogger(trace.Error, "stderr") }
