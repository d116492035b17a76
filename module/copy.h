/* SPDX-License-Identifier: Apache-2.0 */

/* Fresh copies of this library, for forked children (see fork.h). */
#ifndef ZK_COPY_H
#define ZK_COPY_H

#include <stddef.h>

#include "../internal/fresh/legacy.h"
#include "pkcs11.h"
#include "threads.h"

/* The name of the interface by which an image meets its copy. It is not in the list of interfaces. */
#define ZK_COPY_INTERFACE "Vendor zk_pkcs11 copy"

struct zk_estate; /* what is left to children; see estate.h */

/* Behind that interface. */
typedef struct {
	CK_VERSION version;
	void (*adopt)(struct zk_legacy **legacy, zk_pool *threads); /* makes the copy share what is handed down */
	void (*adopt_estate)(struct zk_estate *estate);
	CK_FUNCTION_LIST_3_2 *functions;
} zk_copy;

/* The functions of a fresh copy, which shares what is handed down. On failure it returns NULL, and logs a line unless it is quiet. */
CK_FUNCTION_LIST_3_2 *zk_load_copy(int quiet);

/*
 * Loads a copy in advance, for the children of a process whose children are sure to need
 * one. It does nothing in a copy, nor in a library whose runtime starts when it is loaded.
 */
void zk_prepare_copy(void);

/* The copy's end of zk_copy.adopt. */
void zk_adopt(struct zk_legacy **legacy, zk_pool *threads);

#endif
