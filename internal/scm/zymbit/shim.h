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

#include "zk_app_utils.h"

/* The functions of a library; NULL where it has none of that name. */
typedef struct {
#define POINTER(NAME, PARAMETERS, ARGUMENTS) int (*NAME) PARAMETERS;
	ZK_FUNCTIONS(POINTER)
#undef POINTER
} zk_functions;

/* Loads a library. On failure it returns NULL and gives the reason, to be released with free(). */
zk_functions *zk_load(const char *path, char **problem);

/* The name of function i and whether the library has it; NULL when there are not that many. */
const char *zk_function(const zk_functions *f, size_t i, bool *there);

/* callX(functions, arguments of zkX) */
#define ALL(...) __VA_ARGS__
#define CALL(NAME, PARAMETERS, ARGUMENTS) \
	static inline int call##NAME(const zk_functions *functions, ALL PARAMETERS) \
	{ \
		return functions->NAME ? functions->NAME ARGUMENTS : -ENOSYS; \
	}
ZK_FUNCTIONS(CALL)
#undef CALL
#undef ALL

#endif
