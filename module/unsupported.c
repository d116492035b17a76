/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Every function of PKCS#11, as a library answers that does not have it. The
 * definitions are weak: a line in entry.c takes their place.
 */
#include "_cgo_export.h"
#include "fork.h"

static CK_RV unsupported(void)
{
	if (__atomic_load_n(&zk_suspect, __ATOMIC_RELAXED)) {
		zk_route route = zk_detour();
		if (route.rv != CKR_OK)
			return route.rv;
		if (route.functions)
			return CKR_FUNCTION_NOT_SUPPORTED;
	}
	return goUnsupported();
}

#define WEAK(NAME, PARAMETERS) \
	__attribute__((weak)) CK_RV C_##NAME PARAMETERS \
	{ \
		return unsupported(); \
	}
CK_FUNCTIONS_2_40(WEAK)
CK_FUNCTIONS_3_0(WEAK)
CK_FUNCTIONS_3_2(WEAK)
