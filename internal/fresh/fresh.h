/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Loads a fresh copy of this library, for forked children, whose own image has a Go
 * runtime that is dead.
 */
#ifndef ZK_FRESH_H
#define ZK_FRESH_H

/* Within one library: another that is loaded beside it has its own. */
#pragma GCC visibility push(hidden)

/* A fresh copy, which shows as the name; NULL when none can be loaded. */
void *zk_load_fresh(const char *name);

/* Closes the descriptors from which copies are made: a copy itself needs none. */
void zk_forget_source(void);

/* The file of this library, as it was when the library was loaded. */
const char *zk_source_path(void);

#pragma GCC visibility pop

#endif
