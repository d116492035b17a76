/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A Go runtime does not survive fork(). In a forked child every call goes to a
 * fresh copy of this library, which the first call loads. A context that was open
 * in the parent is opened there by the first call that uses it: wrappers open one
 * when they are loaded, and programs fork afterwards.
 */
#ifndef ZK_APP_UTILS_FORK_H
#define ZK_APP_UTILS_FORK_H

#include <pthread.h>
#include <stdint.h>

#include "zk_app_utils.h"

/* The functions of a copy. */
typedef struct {
#define POINTER(NAME, PARAMETERS, ARGUMENTS) int (*NAME) PARAMETERS;
	ZK_FUNCTIONS(POINTER)
#undef POINTER
} zk_functions;

/*
 * The door by which an image meets its copy, the one symbol that is shown beside the
 * functions: it makes the copy share what is handed down; see legacy.h.
 */
#define ZK_ADOPT "zk_app_utils_adopt"
struct zk_legacy;
void zk_app_utils_adopt(struct zk_legacy **legacy);

/* Not 0 in a forked child, for ever. */
extern int zk_forked;

/* The copy of a forked child; NULL when none can be loaded, after a line on stderr. */
const zk_functions *zk_copy(void);

/* Notes a context that was opened just now, and changes its name to that which the caller gets. */
int zk_context_add(zkCTX *ctx);
/* Changes the name of a context to its own in the copy. -EBADF when it is not open. */
int zk_context_own(const zk_functions *functions, zkCTX *ctx);
/* The same of a context that is not open any more; NULL when it was not opened in the copy. */
int zk_context_remove(zkCTX *ctx);
/* Right after a fork, in the child. */
void zk_contexts_inherited(void);

/*
 * What a process tells its forked children: bytes, or NULL and 0. A block that
 * was published stays valid until the next one is.
 */
void zk_bequeath(const void *bytes, size_t size);
const void *zk_inherited(size_t *size);

/* From when a descriptor that locks files is opened until just before it is closed; see locks.h. */
void zk_lock_opened(int fd);
void zk_lock_closes(int fd);

/* The descriptors of SQLite: looked at before each use, and all together; see sqlite.h. */
int zk_guard_files(void);
int zk_files_intact(void);

/* Has SQLite do nothing more to a file that it has open but close it. */
void zk_files_give_up(uint64_t device, uint64_t inode);

/* Counts the files that were cut while SQLite had them mapped; it was given up with all that it had open then. */
uint64_t zk_files_cut(void);

#endif
