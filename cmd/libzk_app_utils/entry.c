/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The functions of the library, all expanded from the table in zk_app_utils.h. An
 * entry calls the Go function of the same name, or, in a forked child, the same
 * function of a fresh copy of the library with the context's name there.
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
			int rc = functions ? zk_context_own(functions, &ctx) : -EIO; \
			return rc < 0 ? rc : functions->NAME ARGUMENTS; \
		} \
		return go##NAME ARGUMENTS; \
	}

#include "fork.h"

ZK_FUNCTIONS(DECLARE)
ZK_FUNCTIONS_IN_CONTEXT(ENTRY)

int zkOpen(zkCTX *ctx)
{
	const zk_functions *functions = zk_forked ? zk_copy() : NULL;
	int rc = !zk_forked ? goOpen(ctx) : functions ? functions->Open(ctx) : -EIO;
	return rc < 0 ? rc : zk_context_add(ctx);
}

int zkClose(zkCTX ctx)
{
	int rc = zk_context_remove(&ctx);
	if (rc < 0 || !ctx) /* nobody in this process has opened what was inherited */
		return rc;
	if (!zk_forked)
		return goClose(ctx);
	const zk_functions *functions = zk_copy();
	return functions ? functions->Close(ctx) : -EIO;
}
