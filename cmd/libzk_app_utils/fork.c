/* SPDX-License-Identifier: Apache-2.0 */
#include "fork.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

enum { HIGH = 100 }; /* descriptors from here on survive the usual loops that close them */

int zk_forked;

static char source[PATH_MAX]; /* the file of this library */

static struct {
	pthread_mutex_t lock;
	int loaded; /* functions are those of a copy */
	zk_functions functions;
} copy = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A copy that the parent had is as dead in its child as this image. */
static void after_fork_in_child(void)
{
	zk_forked = 1;
	pthread_mutex_init(&copy.lock, NULL);
	copy.loaded = 0;
}

__attribute__((constructor)) static void watch_forks(void)
{
	Dl_info info;
	if (dladdr(&source, &info) && !realpath(info.dli_fname, source))
		source[0] = 0;
	pthread_atfork(NULL, NULL, after_fork_in_child);
}

static int fill(int to, int from)
{
	struct stat st;
	if (fstat(from, &st) != 0)
		return -1;
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, left);
		if (n > 0)
			left -= n;
		else if (n == 0 || errno != EINTR)
			return -1;
	}
	return 0;
}

static int memory_with_source(void)
{
	int from = open(source, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return -1;
	int fd = memfd_create("libzk_app_utils.so", MFD_CLOEXEC | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("libzk_app_utils.so", MFD_CLOEXEC);
	if (fd >= 0 && fill(fd, from) != 0) {
		close(fd);
		fd = -1;
	}
	close(from);
	return fd;
}

/*
 * The dynamic linker knows libraries by name, so that the path has to be one
 * that no dead copy was loaded by: the descriptor moves up until it is.
 */
static void *load(int fd)
{
	char path[64];
	for (int at = HIGH;; at++) {
		at = fcntl(fd, F_DUPFD_CLOEXEC, at);
		if (at < 0)
			return NULL;
		snprintf(path, sizeof path, "/proc/self/fd/%d", at);
		void *dead = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
		void *library = dead ? NULL : dlopen(path, RTLD_NOW | RTLD_LOCAL);
		close(at);
		if (!dead)
			return library;
		dlclose(dead);
	}
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

static int load_copy(void)
{
	int fd = memory_with_source();
	if (fd < 0)
		return -1;
	void *library = load(fd);
	close(fd);
	return library ? find_functions(library) : -1;
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
		source, why ? why : strerror(errno));
	return NULL;
}
