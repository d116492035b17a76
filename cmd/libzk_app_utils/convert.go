// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdint.h>
// #include <stdlib.h>
import "C"

import (
	"unsafe"

	"libzk_pkcs11/internal/scm"
)

// Limits of what a caller can pass or ask for at once.
const (
	maxBytes  = 64 << 20
	maxString = 4096
)

// The functions below convert the arguments of a call. The call is refused when one of them
// cannot be what it is meant to be: it then has no use for the others, which are not looked
// at and come out empty.

// required reports whether p, where the function writes, is no NULL, which is refused.
func required[T any](c *call, p *T) bool {
	if p == nil {
		c.refuse(errArgument)
	}
	return c.accepted()
}

// countOf is a number of things that the caller gives.
func (c *call) countOf(n C.int) int {
	switch {
	case n < 0:
		c.refuse(errArgument)
	case n > maxBytes:
		c.refuse(errTooLong)
	}
	if !c.accepted() {
		return 0
	}
	return int(n)
}

// bytesOf shows n bytes of the caller's memory, for as long as the call lasts.
func (c *call) bytesOf(p *C.uint8_t, n C.int) []byte {
	size := c.countOf(n)
	if size == 0 || !required(c, p) {
		return nil
	}
	return unsafe.Slice((*byte)(p), size)
}

// textOf is a string of the caller's, which has to be there. Go looks for its end: where the
// address leads nowhere, C would end the process.
func (c *call) textOf(p *C.char) string {
	if !required(c, p) {
		return ""
	}
	var b []byte
	for at := unsafe.Pointer(p); *(*byte)(at) != 0; at = unsafe.Add(at, 1) {
		if len(b) == maxString {
			c.refuse(errTooLong)
			return ""
		}
		b = append(b, *(*byte)(at))
	}
	return string(b)
}

// optionalTextOf is a string of the caller's, "" for NULL.
func (c *call) optionalTextOf(p *C.char) string {
	if p == nil {
		return ""
	}
	return c.textOf(p)
}

// slotOf is a key slot that the caller names; the device knows which there are.
func slotOf(n C.int) scm.Slot { return scm.Slot(n) }

// giveBytes hands bytes to the caller, who frees them.
func giveBytes(to **C.uint8_t, b []byte) {
	storeAddress(to, copyToC(b))
}

// giveSized is giveBytes with the length beside the bytes.
func giveSized(to **C.uint8_t, size *C.int, b []byte) {
	giveBytes(to, b)
	*size = C.int(len(b))
}

// giveText hands a string to the caller, who frees it.
func giveText(to **C.char, s string) {
	storeAddress(to, copyToC([]byte(s)))
}

// giveInts hands numbers to the caller, who frees them.
func giveInts(to **C.int, size *C.int, numbers []C.int) {
	storeAddress(to, copyToC(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(numbers))), len(numbers)*C.sizeof_int)))
	*size = C.int(len(numbers))
}

// storeAddress stores an address where the caller wants it, as a number. Were it a pointer, the
// garbage collector would look at what was there before, which may be anything: a
// stale address in Go's own memory makes it end the process.
func storeAddress[T any](to **T, address unsafe.Pointer) {
	*(*uintptr)(unsafe.Pointer(to)) = uintptr(address)
}

// copyToC returns a copy of b from malloc, with a zero byte after it, so that it is
// never NULL and a string has its end.
func copyToC(b []byte) unsafe.Pointer {
	p := C.malloc(C.size_t(len(b) + 1))
	copy(unsafe.Slice((*byte)(p), len(b)+1), append(b[:len(b):len(b)], 0))
	return p
}
