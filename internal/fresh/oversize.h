/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A write beyond the limit of file sizes (RLIMIT_FSIZE) fails, and sends SIGXFSZ, which
 * would end the host as soon as its signals are let through. The error is enough.
 */
#ifndef ZK_OVERSIZE_H
#define ZK_OVERSIZE_H

/* Within one library: another that is loaded beside it has its own. */
#pragma GCC visibility push(hidden)

/* Returns the result of a write, whose signal is taken back. It is pending, since signals wait in a call. */
long zk_without_signal(long result);

#pragma GCC visibility pop

#endif
