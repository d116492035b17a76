/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The functions of the library, all expanded from the table in zk_app_utils.h. An
 * entry calls the Go function of the same name, or, in a forked child, the same
 * function of a fresh copy of the library.
 */
#include <errno.h>

/*
 * The Go functions are declared with the types of the table. Go defines them
 * without const, and with an integer for zkCTX, because a context is no address:
 * calls are the same by every ABI that the library is built for.
 */
#define DECLARE(NAME, PARAMETERS, ARGUMENTS) int go##NAME PARAMETERS;

#define ENTRY(NAME, PARAMETERS, ARGUMENTS) \
	int zk##NAME PARAMETERS \
	{ \
		if (__builtin_expect(zk_forked, 0)) { \
			const zk_functions *functions = zk_copy(); \
			return functions ? functions->NAME ARGUMENTS : -EIO; \
		} \
		return go##NAME ARGUMENTS; \
	}

#include "fork.h"

ZK_FUNCTIONS(DECLARE)
ZK_FUNCTIONS(ENTRY)
