// SPDX-License-Identifier: Apache-2.0

// Package secret keeps keys in memory that is not part of a core dump, of swap
// where the limits of the process allow it, or of a forked child.
package secret

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Buffer is a piece of such memory, outside Go's heap. It has to be given back
// with Destroy. Its owner sees to it that nobody uses the memory after that.
type Buffer struct {
	mapped []byte
	n      int
}

// New returns a buffer of n zero bytes. Like make, it panics when there is no
// memory.
func New(n int) *Buffer {
	page := os.Getpagesize()
	size := max(1, (n+page-1)/page) * page
	mapped, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		panic(fmt.Sprintf("secret: no memory for %d bytes: %v", n, err))
	}
	protect(mapped)
	return &Buffer{mapped, n}
}

// protect does what the kernel and the limits of the process allow: old kernels
// do not wipe on fork, and few pages may be locked.
func protect(mapped []byte) {
	_ = unix.Madvise(mapped, unix.MADV_WIPEONFORK)
	_ = unix.Madvise(mapped, unix.MADV_DONTDUMP)
	_ = unix.Mlock(mapped)
}

// From moves b into a new buffer and overwrites b with zeros.
func From(b []byte) *Buffer {
	buffer := New(len(b))
	copy(buffer.Bytes(), b)
	clear(b)
	return buffer
}

// Bytes returns the memory itself. It is nil after Destroy.
func (b *Buffer) Bytes() []byte {
	if b == nil || b.mapped == nil {
		return nil
	}
	return b.mapped[:b.n:b.n]
}

// Destroy overwrites the memory with zeros and gives it back. Destroying a
// buffer again, or a nil one, does nothing.
func (b *Buffer) Destroy() {
	if b == nil || b.mapped == nil {
		return
	}
	clear(b.mapped)
	_ = unix.Munmap(b.mapped)
	b.mapped = nil
}
