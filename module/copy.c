/* SPDX-License-Identifier: Apache-2.0 */
#include "copy.h"

#define FRESH_NAME "libzk_pkcs11.so"
#include "../internal/fresh/fresh.h"
#include "../internal/fresh/legacy.h"
#include "start.h"

void zk_adopt(struct zk_legacy **shared, zk_pool *threads)
{
	share_legacy(shared);
	zk_share_threads(threads);
	forget_source();
}

void zk_bequeath(const void *bytes, size_t size) { publish_legacy(bytes, size); }
const void *zk_inherited(size_t *size) { return inherited_legacy(size); }

/* The copy's own door; NULL for a file that is no copy of this library. */
static zk_heir *heir_of(void *library)
{
	CK_C_GetInterface get = (CK_C_GetInterface)dlsym(library, "C_GetInterface");
	CK_VERSION version = {1, 0};
	CK_INTERFACE *interface = NULL;
	if (!get || get((CK_UTF8CHAR *)ZK_HEIR, &version, &interface, 0) != CKR_OK)
		return NULL;
	return interface->pFunctionList;
}

CK_FUNCTION_LIST_3_2 *zk_load_copy(int quiet)
{
	void *library = load_fresh();
	zk_heir *heir = library ? heir_of(library) : NULL;
	if (heir) {
		heir->adopt(legacy, zk_threads());
		return heir->functions;
	}
	const char *why = dlerror();
	if (!quiet)
		zk_complain("a forked process needs a copy of %s, which cannot be loaded: %s", source.path, why ? why : strerror(errno));
	return NULL;
}
