/* SPDX-License-Identifier: Apache-2.0 */
#include "legacy.h"

#include <stdlib.h>
#include <string.h>

typedef struct zk_legacy {
	size_t size;
	unsigned char bytes[];
} zk_legacy;

static zk_legacy *own_legacy;
static zk_legacy **legacy = &own_legacy;

struct zk_legacy **zk_shared_legacy(void) { return legacy; }
void zk_share_legacy(struct zk_legacy **shared) { legacy = shared; }
int zk_is_copy(void) { return legacy != &own_legacy; }

/* The block before is released. A fork, which may come at any moment, finds one of the two. */
void zk_bequeath(const void *bytes, size_t size)
{
	zk_legacy *block = malloc(sizeof *block + size);
	if (!block)
		return; /* children then find what there is by themselves */
	block->size = size;
	memcpy(block->bytes, bytes, size);
	free(__atomic_exchange_n(legacy, block, __ATOMIC_ACQ_REL));
}

/* What was handed down, until something is published; NULL when this is no copy, or nothing was. */
const void *zk_inherited(size_t *size)
{
	if (!zk_is_copy() || !*legacy)
		return NULL;
	*size = (*legacy)->size;
	return (*legacy)->bytes;
}
