/* SPDX-License-Identifier: Apache-2.0 */
#include "fork.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../internal/fresh/fresh.h"

int zk_forked;

static struct {
	pthread_mutex_t lock;
	int loaded; /* functions are those of a copy */
	zk_functions functions;
} copy = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A copy that the parent had is as dead in its child as this image. */
static void after_fork_in_child(void)
{
	zk_close_lock_files();
	zk_contexts_inherited();
	zk_forked = 1;
	pthread_mutex_init(&copy.lock, NULL);
	copy.loaded = 0;
}

__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, after_fork_in_child);
}

static int find_functions(void *library)
{
#define FIND(NAME, PARAMETERS, ARGUMENTS) \
	*(void **)&copy.functions.NAME = dlsym(library, "zk" #NAME); \
	if (!copy.functions.NAME) \
		return -1;
	ZK_FUNCTIONS(FIND)
#undef FIND
	return 0;
}

/* The other side of the door. */
void zk_app_utils_adopt(struct zk_legacy **shared)
{
	zk_share_legacy(shared);
	zk_forget_source();
}

static int load_copy(void)
{
	void *library = zk_load_fresh("libzk_app_utils.so");
	void (*adopt)(struct zk_legacy **) = NULL;
	if (library)
		*(void **)&adopt = dlsym(library, ZK_ADOPT);
	if (!adopt || find_functions(library) != 0)
		return -1;
	adopt(zk_shared_legacy());
	return 0;
}

const zk_functions *zk_copy(void)
{
	pthread_mutex_lock(&copy.lock);
	if (!copy.loaded && load_copy() == 0)
		copy.loaded = 1;
	int loaded = copy.loaded;
	pthread_mutex_unlock(&copy.lock);
	if (loaded)
		return &copy.functions;
	const char *why = dlerror();
	dprintf(STDERR_FILENO, "libzk_app_utils: error: a forked process needs a copy of %s, which cannot be loaded: %s\n",
		zk_source_path(), why ? why : strerror(errno));
	return NULL;
}
