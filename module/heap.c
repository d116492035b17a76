/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The memory of the Go runtime: its heap, and the stacks of goroutines. Keys, PINs and values may be
 * in it, and what has been freed stays until it is used again. Neither a forked child, whose runtime is
 * dead, nor a reader of a core dump has a use for it: the kernel wipes the one and leaves out the other.
 */
#include <stdint.h>
#include <sys/mman.h>

/*
 * What the runtime gets memory by, in runtime/cgo. This stands before it where the linker is told so
 * (--wrap), as make does. Old kernels do not wipe on fork (Linux 4.14).
 */
extern uintptr_t __real_x_cgo_mmap(void *, uintptr_t, int32_t, int32_t, int32_t, uint32_t) __attribute__((weak));

uintptr_t __wrap_x_cgo_mmap(void *address, uintptr_t length, int32_t protection, int32_t flags, int32_t fd, uint32_t offset)
{
	uintptr_t memory = __real_x_cgo_mmap(address, length, protection, flags, fd, offset);
	if (memory >= 4096 && (flags & MAP_ANONYMOUS) && (flags & MAP_PRIVATE)) { /* below are error numbers */
		madvise((void *)memory, length, MADV_WIPEONFORK);
		madvise((void *)memory, length, MADV_DONTDUMP);
	}
	return memory;
}
