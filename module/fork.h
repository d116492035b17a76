/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From C_Initialize to C_Finalize, and forks. The first call after C_Initialize that needs
 * Go starts the runtime. A runtime does not survive fork(): in a child whose parent had
 * started it, this image answers nothing by its own Go code any more, and calls go to a
 * fresh copy of the library.
 */
#ifndef ZK_FORK_H
#define ZK_FORK_H

#include "../internal/fresh/locks.h"
#include "pkcs11.h"

/* What a call looks at first. The kernel wipes it in a forked child. */
typedef struct {
	int mine; /* 0 in a child that has not noticed yet, else one of the values below */
	enum { ZK_ASK, ZK_HERE, ZK_IN_COPY } open; /* where calls go; ZK_ASK: zk_route knows */
	CK_FUNCTION_LIST_3_2 *copy;
} zk_page;

enum { ZK_SETTLED = 1, ZK_SETTLING };

extern zk_page *zk_image;

/* Where a call goes: to this image when *copy is NULL, which is ready for it then. */
CK_RV zk_route(CK_FUNCTION_LIST_3_2 **copy);

/* C_Initialize, C_Finalize, and whether calls come between the two. */
CK_RV zk_check_arguments(const CK_C_INITIALIZE_ARGS *arguments);
CK_RV zk_initialize(void);
CK_RV zk_finalize(CK_FUNCTION_LIST_3_2 **copy); /* which is to be called after it, unless it is NULL */
int zk_is_initialized(void);

/* Whether the runtime of this image was started by another process: its memory is gone. */
int zk_is_dead(void);

/* Whether the runtime of this image is alive in this process. It changes nothing: a handler of signals may ask. */
int zk_runs_here(void);

#endif
