/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Every function of PKCS#11, as a library answers that does not have it. The
 * definitions are weak: a line in entry.c takes their place.
 */
#include "crossing.h"
#include "fork.h"

static CK_RV unsupported(void)
{
	zk_crossing crossing;
	zk_fence(&crossing);
	CK_RV rv = zk_is_initialized() ? CKR_FUNCTION_NOT_SUPPORTED : CKR_CRYPTOKI_NOT_INITIALIZED;
	zk_leave(&crossing);
	return rv;
}

#define WEAK(NAME, PARAMETERS) \
	__attribute__((weak)) CK_RV C_##NAME PARAMETERS \
	{ \
		return unsupported(); \
	}
CK_FUNCTIONS_2_40(WEAK)
CK_FUNCTIONS_3_0(WEAK)
CK_FUNCTIONS_3_2(WEAK)
