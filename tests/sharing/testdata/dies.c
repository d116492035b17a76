/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Preloaded into a process, has it die by SIGKILL after the call number DIES_AFTER that writes, cuts or syncs a
 * file in the folder DIES_IN. When the process ends by itself it writes to the file DIES_TOLD how many calls there were.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static void step(int fd)
{
	char link[64], path[PATH_MAX];
	const char *folder = getenv("DIES_IN"), *after = getenv("DIES_AFTER");
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	if (n < 0 || !folder || !after)
		return;
	path[n] = 0;
	if (strncmp(path, folder, strlen(folder)) == 0 && atomic_fetch_add(&calls, 1) + 1 == atol(after))
		kill(getpid(), SIGKILL);
}

#define STEP(NAME, PARAMETERS, ARGUMENTS, TYPE) \
	TYPE NAME PARAMETERS \
	{ \
		static TYPE(*next) PARAMETERS; \
		if (!next) \
			next = dlsym(RTLD_NEXT, #NAME); \
		TYPE result = next ARGUMENTS; \
		step(fd); \
		return result; \
	}

STEP(pwrite64, (int fd, const void *b, size_t n, off64_t at), (fd, b, n, at), ssize_t)
STEP(pwrite, (int fd, const void *b, size_t n, off_t at), (fd, b, n, at), ssize_t)
STEP(ftruncate64, (int fd, off64_t n), (fd, n), int)
STEP(ftruncate, (int fd, off_t n), (fd, n), int)
STEP(fsync, (int fd), (fd), int)
STEP(fdatasync, (int fd), (fd), int)

__attribute__((destructor)) static void told(void)
{
	FILE *f = fopen(getenv("DIES_TOLD"), "w");
	if (f) {
		fprintf(f, "%ld\n", atomic_load(&calls));
		fclose(f);
	}
}
