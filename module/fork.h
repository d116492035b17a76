/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A Go runtime does not survive fork(). In a forked child this image answers
 * nothing by its own Go code any more: calls go to a fresh copy of the library,
 * loaded by the first call that follows the child's C_Initialize.
 */
#ifndef ZK_FORK_H
#define ZK_FORK_H

#include "pkcs11.h"

/* What a call has to do. */
typedef struct {
	CK_RV rv;                        /* answer this at once, unless it is CKR_OK */
	CK_FUNCTION_LIST_3_2 *functions; /* call these; NULL: call the Go code of this image */
} zk_route;

/* Not 0 while a fork is under way, and for ever in a forked child. */
extern int zk_suspect;

/* Where a call goes while zk_suspect is not 0. */
zk_route zk_detour(void);

/* Checks the argument of C_Initialize. */
CK_RV zk_check_arguments(const CK_C_INITIALIZE_ARGS *arguments);

/* Whether this is a forked child, and what C_Initialize and C_Finalize do there. */
int zk_away(void);
CK_RV zk_child_initialize(void);
CK_RV zk_child_finalize(void);

/* From when a descriptor that locks files is opened until just before it is closed; see locks.h. */
void zk_lock_opened(int fd);
void zk_lock_closes(int fd);

#endif
