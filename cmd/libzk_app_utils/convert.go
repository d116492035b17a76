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

// check refuses an argument that is not valid.
func check(valid bool) {
	if !valid {
		panic(refusal{errArgument})
	}
}

// need refuses a NULL where the function writes.
func need[T any](p *T) { check(p != nil) }

// length is a count that the caller gives.
func length(n C.int) int {
	check(n >= 0)
	if n > maxBytes {
		panic(refusal{errTooLong})
	}
	return int(n)
}

// view shows n bytes of the caller's memory, for as long as the call lasts.
func view(p *C.uint8_t, n C.int) []byte {
	size := length(n)
	check(p != nil || size == 0)
	return unsafe.Slice((*byte)(p), size)
}

// text is a string of the caller's, which has to be there. Go looks for its end: where the
// address leads nowhere, C would end the process.
func text(p *C.char) string {
	check(p != nil)
	var b []byte
	for at := unsafe.Pointer(p); *(*byte)(at) != 0; at = unsafe.Add(at, 1) {
		if len(b) == maxString {
			panic(refusal{errTooLong})
		}
		b = append(b, *(*byte)(at))
	}
	return string(b)
}

// optional is a string of the caller's, "" for NULL.
func optional(p *C.char) string {
	if p == nil {
		return ""
	}
	return text(p)
}

// slotOf is a key slot that the caller names; the device knows which there are.
func slotOf(n C.int) scm.Slot { return scm.Slot(n) }

// give hands bytes to the caller, who frees them.
func give(to **C.uint8_t, b []byte) {
	put(to, memory(b))
}

// giveSized is give with the length beside the bytes.
func giveSized(to **C.uint8_t, size *C.int, b []byte) {
	give(to, b)
	*size = C.int(len(b))
}

// giveText hands a string to the caller, who frees it.
func giveText(to **C.char, s string) {
	put(to, memory([]byte(s)))
}

// giveInts hands numbers to the caller, who frees them.
func giveInts(to **C.int, size *C.int, numbers []C.int) {
	put(to, memory(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(numbers))), len(numbers)*C.sizeof_int)))
	*size = C.int(len(numbers))
}

// put stores an address where the caller wants it, as a number. Were it a pointer, the
// garbage collector would look at what was there before, which may be anything: a
// stale address in Go's own memory makes it end the process.
func put[T any](to **T, address unsafe.Pointer) {
	*(*uintptr)(unsafe.Pointer(to)) = uintptr(address)
}

// memory is a copy of b from malloc, with a zero byte after it, so that it is
// never NULL and a string has its end.
func memory(b []byte) unsafe.Pointer {
	p := C.malloc(C.size_t(len(b) + 1))
	copy(unsafe.Slice((*byte)(p), len(b)+1), append(b[:len(b):len(b)], 0))
	return p
}
