/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a process hands down to its forked children: bytes, which a child's copy of the library gets from the image that
 * loaded it. A copy shares them with that image, so that grandchildren get what the
 * process before them published last.
 */
#ifndef ZK_LEGACY_H
#define ZK_LEGACY_H

#include <stddef.h>

struct zk_legacy;

/* Within one library: another that is loaded beside it has its own. */
#pragma GCC visibility push(hidden)

/* What a copy is to share. */
struct zk_legacy **zk_shared_legacy(void);

/* In a copy, before any of its other functions is called. */
void zk_share_legacy(struct zk_legacy **shared);

/* Reports whether this is a copy. */
int zk_is_copy(void);

/*
 * What a process tells its forked children: bytes, or NULL and 0. A block that
 * was published stays valid until the next one is.
 */
void zk_hand_down(const void *bytes, size_t size);
const void *zk_inherited(size_t *size);

#pragma GCC visibility pop

#endif
