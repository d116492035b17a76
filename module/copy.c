/* SPDX-License-Identifier: Apache-2.0 */
#include "copy.h"

#define FRESH_NAME "libzk_pkcs11.so"
#include "../internal/fresh/fresh.h"

void zk_forget_source(void)
{
	if (source.file >= 0)
		close(source.file);
	if (source.proc >= 0)
		close(source.proc);
	source.file = source.proc = -1;
}

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

zk_heir *zk_load_copy(void)
{
	void *library = load_fresh();
	zk_heir *heir = library ? heir_of(library) : NULL;
	if (!heir) {
		const char *why = dlerror();
		dprintf(STDERR_FILENO, "libzk_pkcs11: error: a forked process needs a copy of %s, which cannot be loaded: %s\n",
			source.path, why ? why : strerror(errno));
	}
	return heir;
}
