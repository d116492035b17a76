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
func goOpen(ctx *context) (result C.int) {
	var c call
	c.beginOutside()
	defer c.end(&result)
	if !required(&c, ctx) {
		return result
	}
	x, err := connect()
	if err != nil {
		c.err = fmt.Errorf("%w: %w", errOpen, err)
		return result
	}
	*ctx = contexts.add(x)
	return result
}

//export goClose
func goClose(ctx context) (result C.int) {
	var c call
	c.beginOutside()
	defer c.end(&result)
	c.err = contexts.remove(ctx)
	return result
}
