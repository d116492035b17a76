/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The descriptors by which the library locks files. Such a lock lives until the last copy of its descriptor is closed, and a forked child
 * has copies: were the parent killed while it holds a lock, nobody would get it
 * as long as the child lives. So a child closes them.
 */
#ifndef ZK_LOCKS_H
#define ZK_LOCKS_H

/* Within one library: another that is loaded beside it has its own. */
#pragma GCC visibility push(hidden)

/* From when a descriptor that locks files is opened until just before it is closed. */
void zk_lock_opened(int fd);
void zk_lock_closes(int fd);

/* In a child, whose other threads are gone. */
void zk_close_lock_files(void);

#pragma GCC visibility pop

#endif
