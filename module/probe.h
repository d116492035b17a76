/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the few functions that answer without Go ask of an address before they use it. Go
 * makes an error of an address that leads nowhere, C ends the process. The kernel answers
 * EFAULT: it is asked to read a signal mask from there, with an order that it refuses, or
 * to write the thread's own mask there. Every process may ask that.
 */
#ifndef ZK_PROBE_H
#define ZK_PROBE_H

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ZK_PROBED = 8 }; /* bytes, the size of the kernel's signal mask */

/* Calls the kernel without a trace in errno. It takes NULL for none; nothing is ever in the first page. */
static inline int zk_faults(int how, const void *set, void *old)
{
	int before = errno;
	if ((uintptr_t)set + (uintptr_t)old < 4096)
		return 1;
	int faults = syscall(SYS_rt_sigprocmask, how, set, old, ZK_PROBED) != 0 && errno == EFAULT;
	errno = before;
	return faults;
}

/* Whether a byte can be read. */
static inline int zk_readable_byte(const void *p)
{
	return !zk_faults(-1, (const void *)((uintptr_t)p & ~(uintptr_t)(ZK_PROBED - 1)), NULL);
}

/* Whether memory that is in two pages at most can be read. */
static inline int zk_readable(const void *p, size_t size)
{
	return zk_readable_byte(p) && zk_readable_byte((const char *)p + size - 1);
}

/* Whether a string can be read up to its end, or as far as it is looked at. */
static inline int zk_readable_string(const unsigned char *s, size_t most)
{
	for (size_t i = 0; i < most; i++) {
		if ((i == 0 || (uintptr_t)(s + i) % ZK_PROBED == 0) && !zk_readable_byte(s + i))
			return 0;
		if (!s[i])
			break;
	}
	return 1;
}

/* Whether memory of at least ZK_PROBED bytes, in two pages at most, can be written. It is, at both ends. */
static inline int zk_writable(void *p, size_t size)
{
	return !zk_faults(SIG_BLOCK, NULL, p) && !zk_faults(SIG_BLOCK, NULL, (char *)p + size - ZK_PROBED);
}

#endif
