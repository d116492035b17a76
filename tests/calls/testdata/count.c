/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A libzk_app_utils.so that hands every call on to the one which ZK_COUNTED names,
 * and writes the name of the function to the file of ZK_COUNT_FILE.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "zk_app_utils.h"

static void *library;
static int file = -1;

__attribute__((constructor)) static void begin(void)
{
	const char *counted = getenv("ZK_COUNTED"), *path = getenv("ZK_COUNT_FILE");
	library = counted ? dlopen(counted, RTLD_NOW | RTLD_LOCAL) : NULL;
	file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	if (!library || file < 0) {
		fprintf(stderr, "count: nothing to count: %s\n", dlerror());
		abort();
	}
}

#define COUNT(NAME, PARAMETERS, ARGUMENTS) \
	int zk##NAME PARAMETERS \
	{ \
		int (*next) PARAMETERS; \
		*(void **)&next = dlsym(library, "zk" #NAME); \
		dprintf(file, "zk" #NAME "\n"); \
		return next ARGUMENTS; \
	}
ZK_FUNCTIONS(COUNT)
