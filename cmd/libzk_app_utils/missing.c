/* SPDX-License-Identifier: Apache-2.0 */

/* Every function, as the library answers for what it does not have: a definition in Go takes the place of the weak one. */
#include <errno.h>

#include "zk_app_utils.h"

#define MISSING(NAME, PARAMETERS, ARGUMENTS) \
	__attribute__((weak)) int go##NAME PARAMETERS \
	{ \
		return -ENOSYS; \
	}
#pragma GCC diagnostic ignored "-Wunused-parameter"
ZK_FUNCTIONS(MISSING)
