/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A Go runtime does not survive fork(). In a forked child every call goes to a
 * fresh copy of this library, which the first call loads. Contexts of the parent
 * are unknown there: the child opens its own.
 */
#ifndef ZK_APP_UTILS_FORK_H
#define ZK_APP_UTILS_FORK_H

#include "zk_app_utils.h"

/* The functions of a copy. */
typedef struct {
#define POINTER(NAME, PARAMETERS, ARGUMENTS) int (*NAME) PARAMETERS;
	ZK_FUNCTIONS(POINTER)
#undef POINTER
} zk_functions;

/* Not 0 in a forked child, for ever. */
extern int zk_forked;

/* The copy of a forked child; NULL when none can be loaded, after a line on stderr. */
const zk_functions *zk_copy(void);

/* From when a descriptor that locks files is opened until just before it is closed; see locks.h. */
void zk_lock_opened(int fd);
void zk_lock_closes(int fd);

#endif
