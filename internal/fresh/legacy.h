/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a process hands down to its forked children, for the library that includes
 * this file: bytes, which a child's copy of the library gets from the image that
 * loaded it. A copy shares them with that image, so that grandchildren get what the
 * process before them published last.
 */
#ifndef ZK_LEGACY_H
#define ZK_LEGACY_H

#include <stdlib.h>
#include <string.h>

typedef struct zk_legacy {
	size_t size;
	unsigned char bytes[];
} zk_legacy;

static zk_legacy *own_legacy;
static zk_legacy **legacy = &own_legacy;

/* In a copy, before any of its other functions is called. */
static void share_legacy(zk_legacy **shared) { legacy = shared; }

/* The block before is released. A fork, which may come at any moment, finds one of the two. */
static void publish_legacy(const void *bytes, size_t size)
{
	zk_legacy *block = malloc(sizeof *block + size);
	if (!block)
		return; /* children then find what there is by themselves */
	block->size = size;
	memcpy(block->bytes, bytes, size);
	free(__atomic_exchange_n(legacy, block, __ATOMIC_ACQ_REL));
}

/* What was handed down, until something is published; NULL when this is no copy, or nothing was. */
static const void *inherited_legacy(size_t *size)
{
	if (legacy == &own_legacy || !*legacy)
		return NULL;
	*size = (*legacy)->size;
	return (*legacy)->bytes;
}

#endif
