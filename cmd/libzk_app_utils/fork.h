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

#include "../../internal/fresh/legacy.h"
#include "../../internal/fresh/locks.h"
#include "../../internal/fresh/sqlite.h"
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

/* zk_guard_files, and a handler of SIGBUS for files that are cut. */
int zk_guard_cut_files(void);

#endif
