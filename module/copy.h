/* SPDX-License-Identifier: Apache-2.0 */

/* Fresh copies of this library, for forked children (see fork.h). */
#ifndef ZK_COPY_H
#define ZK_COPY_H

#include <stddef.h>

#include "pkcs11.h"

/* The name of the interface by which an image meets its copy. It is not in the list of interfaces. */
#define ZK_HEIR "Vendor zk_pkcs11 heir"

/* Bytes that are handed down. */
typedef struct {
	size_t size;
	unsigned char bytes[];
} zk_legacy;

/* Behind that interface. */
typedef struct {
	CK_VERSION version;
	void (*adopt)(zk_legacy **legacy); /* makes the copy share what is handed down */
	CK_FUNCTION_LIST_3_2 *functions;
} zk_heir;

/* Loads a fresh copy of this library. On failure it logs a line and returns NULL. */
zk_heir *zk_load_copy(void);

/* Closes the descriptors from which copies are made; a copy itself needs none. */
void zk_forget_source(void);

/* The copy's end of zk_heir.adopt. */
void zk_adopt(zk_legacy **legacy);

#endif
