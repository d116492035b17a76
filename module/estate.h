/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a process leaves to its forked children when the setting "fork" is
 * "inherit": pieces, whose content is pkcs11/estate.go's. A fork, which may come
 * at any moment, finds each of them as a whole or not at all. Nothing here needs
 * Go, nor a lock in a child, so that children read what their parent left.
 */
#ifndef ZK_ESTATE_H
#define ZK_ESTATE_H

#include <stddef.h>
#include <stdint.h>

struct zk_estate;

/* The estate of this image, which its copies share. */
struct zk_estate *zk_estate_own(void);

/* In a copy, before its other functions are called: what was left is now this process's own to change. */
void zk_estate_adopt(struct zk_estate *shared);

/* In a child, before anything else: whether its parent was initialised, with the setting "inherit". */
int zk_estate_forked(void);

/* At C_Initialize. */
void zk_estate_initialize(void);

/*
 * When Go has read the settings. What was inherited stays, whatever they are. It returns
 * 0 when nothing is to be left, else what the functions below want to know.
 */
uint64_t zk_estate_begin(int inherit);

/* At C_Finalize: overwrites all pieces and gives their memory back. Handlers of fork may call it. */
void zk_estate_end(void);

/* The last handle that was given; see pkcs11.Options. */
uint64_t *zk_estate_handles(void);

/*
 * Leaves a copy of content, in place of an earlier piece unless that is 0. It returns 0
 * when there is no memory, or the estate has ended since zk_estate_begin.
 */
uintptr_t zk_estate_leave(uint64_t begun, uintptr_t instead, const void *content, size_t size);
void zk_estate_revoke(uint64_t begun, uintptr_t piece);

/* The piece after another, the first after 0; 0 after the last. */
uintptr_t zk_estate_next(uintptr_t piece);
const void *zk_estate_content(uintptr_t piece, size_t *size);

/* Whether the interfaces are to claim CKF_INTERFACE_FORK_SAFE. */
int zk_claims_fork(void);

#endif
