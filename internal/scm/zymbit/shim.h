/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The vendor's library at run time. Nothing of it is needed to build: its
 * functions are found by name when the library is loaded, and called through
 * pointers. All of it is expanded from the table in zk_app_utils.h.
 */
#ifndef ZK_SHIM_H
#define ZK_SHIM_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "zk_app_utils.h"

/* The functions of a library; NULL where it has none of that name. */
typedef struct {
#define POINTER(NAME, PARAMETERS, ARGUMENTS) int (*NAME) PARAMETERS;
	ZK_FUNCTIONS(POINTER)
#undef POINTER
} zk_functions;

/* Loads a library. On failure it returns NULL and gives the reason, to be released with free(). */
zk_functions *zk_load(const char *path, char **problem);

/*
 * Releases what a function of the library gave, by the allocator that the library has: that of the
 * program. This module has another where it is loaded with RTLD_DEEPBIND into a program that brings its own.
 */
void zk_release(void *p);

/* The name of function i and whether the library has it; NULL when there are not that many. */
const char *zk_function(const zk_functions *f, size_t i, bool *there);

/*
 * The module holds the signals of its host back while a thread of the host is in Go
 * (module/crossing.h). They are let through while the vendor's library has the thread,
 * which can take seconds. Others that use this package have no such functions.
 */
extern void zk_outside(void) __attribute__((weak));
extern void zk_inside(void) __attribute__((weak));
extern int zk_pause(uint64_t nanoseconds) __attribute__((weak));

static inline void zk_let_signals(void)
{
	if (zk_outside)
		zk_outside();
}

static inline int zk_hold_signals(int result)
{
	if (zk_inside)
		zk_inside();
	return result;
}

/* Waits, and reports whether it did: threads that are not a host's have better ways. */
static inline int zk_paused(uint64_t nanoseconds) { return zk_pause && zk_pause(nanoseconds); }

/* callX(functions, arguments of zkX) */
#define ALL(...) __VA_ARGS__
#define CALL(NAME, PARAMETERS, ARGUMENTS) \
	static inline int call##NAME(const zk_functions *functions, ALL PARAMETERS) \
	{ \
		if (!functions->NAME) \
			return -ENOSYS; \
		zk_let_signals(); \
		return zk_hold_signals(functions->NAME ARGUMENTS); \
	}
ZK_FUNCTIONS(CALL)
#undef CALL
#undef ALL

#endif
