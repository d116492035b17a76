/* SPDX-License-Identifier: Apache-2.0 */
#include "legacy.h"

#include <string.h>
#include <sys/mman.h>

typedef struct zk_legacy {
	size_t size, mapped;
	unsigned char bytes[];
} zk_legacy;

static zk_legacy *own_legacy;
static zk_legacy **legacy = &own_legacy;

struct zk_legacy **zk_shared_legacy(void) { return legacy; }
void zk_share_legacy(struct zk_legacy **shared) { legacy = shared; }
int zk_is_copy(void) { return legacy != &own_legacy; }

/*
 * The block before is released. A fork, which may come at any moment, finds one of the two. Blocks are no memory of malloc:
 * one image releases what another has made, and they may have different allocators: haproxy of Debian 13 brings its
 * own, which the copy has, and the module that pkcs11-provider loads with RTLD_DEEPBIND has the C library's.
 */
void zk_hand_down(const void *bytes, size_t size)
{
	size_t mapped = sizeof(zk_legacy) + size;
	zk_legacy *block = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (block == MAP_FAILED)
		return; /* children then find what there is by themselves */
	block->size = size;
	block->mapped = mapped;
	memcpy(block->bytes, bytes, size);
	zk_legacy *before = __atomic_exchange_n(legacy, block, __ATOMIC_ACQ_REL);
	if (before)
		munmap(before, before->mapped);
}

/* What was handed down, until something is published; NULL when this is no copy, or nothing was. */
const void *zk_inherited(size_t *size)
{
	if (!zk_is_copy() || !*legacy)
		return NULL;
	*size = (*legacy)->size;
	return (*legacy)->bytes;
}
