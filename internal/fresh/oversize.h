/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A write beyond the limit of file sizes (RLIMIT_FSIZE) fails, and sends SIGXFSZ, which
 * would end the host as soon as its signals are let through. The error is enough.
 */
#ifndef ZK_OVERSIZE_H
#define ZK_OVERSIZE_H

#include <errno.h>
#include <signal.h>
#include <time.h>

/* Returns the result of a write, whose signal is taken back. It is pending, since signals wait in a call. */
static long without_signal(long result)
{
	const struct timespec now = {0};
	sigset_t oversize;
	if (result >= 0 || errno != EFBIG)
		return result;
	sigemptyset(&oversize);
	sigaddset(&oversize, SIGXFSZ);
	sigtimedwait(&oversize, NULL, &now);
	errno = EFBIG;
	return result;
}

#endif
