/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the few functions that answer without Go ask of an address before they use it. Go
 * makes an error of an address that leads nowhere, C ends the process. The kernel answers
 * EFAULT: it is asked to read a signal mask from there, with an order that it refuses, or
 * to add no bits to a word there, for no thread that sleeps. Every process may ask that,
 * and others who look at the memory see no change.
 */
#ifndef ZK_PROBE_H
#define ZK_PROBE_H

#include <errno.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	ZK_PROBED = 8,        /* bytes that are read, the size of the kernel's signal mask */
	ZK_FIRST_PAGE = 4096, /* nothing is ever there, and the kernel takes NULL for none */
};

/* Whether a byte can be read. */
static inline int zk_readable_byte(const void *p)
{
	const void *mask = (const void *)((uintptr_t)p & ~(uintptr_t)(ZK_PROBED - 1));
	int before = errno;
	if ((uintptr_t)p < ZK_FIRST_PAGE)
		return 0;
	int faults = syscall(SYS_rt_sigprocmask, -1, mask, NULL, ZK_PROBED) != 0 && errno == EFAULT;
	errno = before;
	return !faults;
}

/* Whether a byte can be written. */
static inline int zk_writable_byte(void *p)
{
	uint32_t sleeper = 0;
	void *word = (void *)((uintptr_t)p & ~(uintptr_t)(sizeof sleeper - 1));
	int before = errno;
	if ((uintptr_t)p < ZK_FIRST_PAGE)
		return 0;
	int order = FUTEX_OP(FUTEX_OP_OR, 0, FUTEX_OP_CMP_EQ, 0);
	int faults = syscall(SYS_futex, &sleeper, FUTEX_WAKE_OP_PRIVATE, 0, 0, word, order) < 0 && errno == EFAULT;
	errno = before;
	return !faults;
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

/* Whether memory that is in two pages at most can be written. */
static inline int zk_writable(void *p, size_t size)
{
	return zk_writable_byte(p) && zk_writable_byte((char *)p + size - 1);
}

#endif
