/* SPDX-License-Identifier: Apache-2.0 */
#include "copy.h"
#include "estate.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "../internal/fresh/fresh.h"
#include "start.h"

#define NAME "libzk_pkcs11.so"

void zk_adopt(struct zk_legacy **shared, zk_pool *threads)
{
	zk_share_legacy(shared);
	zk_share_threads(threads);
	zk_forget_source();
}

/* The copy's own door; NULL for a file that is no copy of this library. */
static zk_copy *copy_in(void *library)
{
	CK_C_GetInterface get = (CK_C_GetInterface)dlsym(library, "C_GetInterface");
	CK_VERSION version = {2, 0};
	CK_INTERFACE *interface = NULL;
	if (!get || get((CK_UTF8CHAR *)ZK_COPY_INTERFACE, &version, &interface, 0) != CKR_OK)
		return NULL;
	return interface->pFunctionList;
}

/* A copy that was loaded before the fork. Its runtime has not started, so that it is as good in a child. */
static void *spare;

extern void *const zk_go_start[] __attribute__((weak, visibility("hidden"))); /* see start.c */

void zk_prepare_copy(void)
{
	if (!spare && !zk_is_copy() && zk_go_start)
		spare = zk_load_fresh(NAME);
}

static void *take_copy(void)
{
	void *library = spare ? spare : zk_load_fresh(NAME);
	spare = NULL;
	return library;
}

CK_FUNCTION_LIST_3_2 *zk_load_copy(int quiet)
{
	void *library = take_copy();
	zk_copy *copy = library ? copy_in(library) : NULL;
	if (copy) {
		copy->adopt(zk_shared_legacy(), zk_threads());
		copy->adopt_estate(zk_estate_own());
		return copy->functions;
	}
	const char *why = dlerror();
	if (!quiet)
		zk_complain("a forked process needs a copy of %s, which cannot be loaded: %s", zk_source_path(), why ? why : strerror(errno));
	return NULL;
}
