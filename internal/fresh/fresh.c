/* SPDX-License-Identifier: Apache-2.0 */
#include "fresh.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include "descriptors.h"
#include "oversize.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

enum { SPELLINGS = 256 }; /* of the path of a descriptor, see fresh_path */

/* The file of this library, as it was when the library was loaded. */
static struct {
	descriptor file;
	descriptor proc; /* the directory /proc, for use after a chroot */
	char path[PATH_MAX];
} source = {.file = {.fd = -1}, .proc = {.fd = -1}};

__attribute__((constructor)) static void remember_source(void)
{
	Dl_info info;
	if (!dladdr(&source, &info) || !realpath(info.dli_fname, source.path))
		return;
	zk_identify(&source.file, zk_open_high(source.path, O_RDONLY, 0));
	zk_identify(&source.proc, zk_open_high("/proc", O_RDONLY | O_DIRECTORY, 0));
}

const char *zk_source_path(void) { return source.path; }

void zk_forget_source(void)
{
	zk_close_intact(&source.file);
	zk_close_intact(&source.proc);
	source.file.fd = source.proc.fd = -1;
}

/* The descriptor of this library; -1 when the host has closed it since. */
static int remembered(void)
{
	return zk_intact(&source.file) ? fcntl(source.file.fd, F_DUPFD_CLOEXEC, HIGH) : -1;
}

/* sendfile with an offset of its own: the descriptor is shared with relatives. */
static int fill(int to, int from)
{
	off_t at = 0;
	struct stat st;
	if (fstat(from, &st) != 0)
		return -1;
	while (at < st.st_size) {
		ssize_t n = zk_without_signal(sendfile(to, from, &at, st.st_size - at));
		if (n == 0 || (n < 0 && errno != EINTR)) /* 0: somebody has shortened the file */
			return -1;
	}
	return 0;
}

/*
 * The dynamic linker knows libraries by name, and the number of a descriptor is
 * used again: a dead copy may bear the name that a new one would get. Slashes
 * make a name that nothing has.
 */
static int fresh_path(char path[PATH_MAX], const char *proc, int fd)
{
	char slashes[SPELLINGS + 1];
	memset(slashes, '/', sizeof slashes);
	for (int n = 1; n <= SPELLINGS; n++) {
		snprintf(path, PATH_MAX, "%sself/fd%.*s%d", proc, n, slashes, fd);
		void *known = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
		if (!known)
			return 0;
		dlclose(known);
	}
	return -1;
}

static void *load_descriptor(const char *proc, int fd)
{
	char path[PATH_MAX];
	if (fresh_path(path, proc, fd) != 0)
		return NULL;
	return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

/* What the thread below is to load, and what it has loaded. */
typedef struct {
	int fd;
	void *library;
	sem_t done;
} errand_below_proc;

/* Runs in a thread with a working directory of its own, for roots that have no /proc. */
static void *load_below_proc(void *what)
{
	errand_below_proc *errand = what;
	if (unshare(CLONE_FS) == 0 && zk_intact(&source.proc) && fchdir(source.proc.fd) == 0) {
		void *library = load_descriptor("", errand->fd);
		if (chdir("/") == 0) /* a runtime's threads would be born here and share the directory */
			errand->library = library;
	}
	sem_post(&errand->done);
	return NULL;
}

/* The thread is detached, since such ones are ready where the process may make no more (module/threads.h). */
static void *load_in_thread(int fd)
{
	errand_below_proc errand = {.fd = fd};
	pthread_t thread;
	pthread_attr_t detached;
	if (!zk_intact(&source.proc) || sem_init(&errand.done, 0, 0) != 0)
		return NULL;
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &detached, load_below_proc, &errand) == 0) {
		while (sem_wait(&errand.done) != 0)
			;
	}
	pthread_attr_destroy(&detached);
	sem_destroy(&errand.done);
	return errand.library;
}

static int open_memory(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC);
	return zk_raise_descriptor(fd);
}

static void *load_from_memory(const char *name, int from)
{
	int fd = open_memory(name);
	if (fd < 0)
		return NULL;
	void *library = NULL;
	if (fill(fd, from) == 0) {
		library = load_descriptor("/proc/", fd);
		if (!library)
			library = load_in_thread(fd);
	}
	close(fd);
	return library;
}

/* The file is gone from its directory as soon as it is loaded. */
static void *load_from_directory(const char *directory, const char *name, int from)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof path, "%s/%s.XXXXXX", directory, name) >= PATH_MAX)
		return NULL;
	int fd = zk_raise_descriptor(mkostemp(path, O_CLOEXEC));
	if (fd < 0)
		return NULL;
	int filled = fill(fd, from);
	close(fd);
	void *library = filled == 0 ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	unlink(path);
	return library;
}

static void *load_from_file(const char *name, int from)
{
	const char *directories[] = {secure_getenv("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm"};
	void *library = NULL;
	for (size_t i = 0; i < sizeof directories / sizeof *directories && !library; i++) {
		if (directories[i] && *directories[i])
			library = load_from_directory(directories[i], name, from);
	}
	return library;
}

/* The source by its descriptor, or by its path where the host has closed that. */
static int open_source(void)
{
	int from = remembered();
	return from >= 0 ? from : zk_open_high(source.path, O_RDONLY, 0);
}

void *zk_load_fresh(const char *name)
{
	int from = open_source();
	if (from < 0)
		return NULL;
	void *library = load_from_memory(name, from);
	if (!library)
		library = load_from_file(name, from);
	close(from);
	return library;
}
