/* SPDX-License-Identifier: Apache-2.0 */
#include "shim.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
#define NAME(NAME, PARAMETERS, ARGUMENTS) "zk" #NAME,
	ZK_FUNCTIONS(NAME)
#undef NAME
};
enum { FUNCTIONS = sizeof names / sizeof *names };

zk_functions *zk_load(const char *path, char **problem)
{
	zk_functions *f = calloc(1, sizeof *f);
	void *library = f ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	if (!library) {
		const char *why = f ? dlerror() : NULL;
		*problem = strdup(why ? why : "out of memory");
		free(f);
		return NULL;
	}
#define FIND(NAME, PARAMETERS, ARGUMENTS) *(void **)&f->NAME = dlsym(library, "zk" #NAME);
	ZK_FUNCTIONS(FIND)
#undef FIND
	return f;
}

static void (*release)(void *) = free;

/* The library is loaded without RTLD_DEEPBIND: it finds the names of the program before all others. */
static void find_release(void)
{
	void *program = dlopen(NULL, RTLD_NOW);
	void *found = program ? dlsym(program, "free") : NULL;
	if (found)
		*(void **)&release = found;
}

void zk_release(void *p)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, find_release);
	release(p);
}

const char *zk_function(const zk_functions *f, size_t i, bool *there)
{
	const bool all[] = {
#define THERE(NAME, PARAMETERS, ARGUMENTS) f->NAME != NULL,
		ZK_FUNCTIONS(THERE)
#undef THERE
	};
	if (i >= FUNCTIONS)
		return NULL;
	*there = all[i];
	return names[i];
}
