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
#include <sys/syscall.h>
#include <time.h>

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
static int fresh_path(char path[PATH_MAX], const char *descriptors, int fd)
{
	char slashes[SPELLINGS + 1];
	memset(slashes, '/', sizeof slashes);
	for (int n = 1; n <= SPELLINGS; n++) {
		snprintf(path, PATH_MAX, "%s%.*s%d", descriptors, n, slashes, fd);
		void *known = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
		if (!known)
			return 0;
		dlclose(known);
	}
	return -1;
}

static void *load_descriptor(const char *descriptors, int fd)
{
	char path[PATH_MAX];
	if (fresh_path(path, descriptors, fd) != 0)
		return NULL;
	return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

/* What the threads below are to load, and what they have loaded. */
typedef struct {
	int fd;
	int ended; /* the directory in /proc of a thread that has ended */
	void *library;
	sem_t done;
} errand_below_proc;

/* The first thread: all that it is for is to end. */
static void *leave_directory(void *what)
{
	errand_below_proc *errand = what;
	int fd = zk_intact(&source.proc) ? openat(source.proc.fd, "thread-self", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	errand->ended = zk_raise_descriptor(fd);
	sem_post(&errand->done);
	return NULL;
}

/* Enters the directory as soon as its thread is no more, which is in a moment. */
static int enter_directory_that_is_gone(int fd)
{
	const struct timespec a_moment = {.tv_nsec = 100000};
	char path[PATH_MAX];
	if (fd < 0 || fchdir(fd) != 0)
		return -1;
	for (int i = 0; i < 10000; i++) {
		if (syscall(SYS_getcwd, path, sizeof path) < 0)
			return errno == ENOENT ? 0 : -1;
		nanosleep(&a_moment, NULL);
	}
	return -1;
}

/*
 * The second thread, for roots that have no /proc. It has a working directory of its own, from which a
 * relative name leads to the descriptors. The dynamic linker asks for the path of that directory, and where
 * it is outside of the root, glibc looks for it in all directories above: with a lock that the linker has
 * never initialised, so that it may wait for ever, as seen with 2.41. It does not look for one that is gone.
 */
static void *load_below_proc(void *what)
{
	errand_below_proc *errand = what;
	if (unshare(CLONE_FS) == 0 && enter_directory_that_is_gone(errand->ended) == 0) {
		void *library = load_descriptor("../../fd", errand->fd);
		if (chdir("/") == 0) /* a runtime's threads would be born here and share the directory */
			errand->library = library;
	}
	sem_post(&errand->done);
	return NULL;
}

/* Runs one of them. They are detached, since such ones are ready where the process may make no more (module/threads.h). */
static int run_errand(void *(*run)(void *), errand_below_proc *errand)
{
	pthread_t thread;
	pthread_attr_t detached;
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	int error = pthread_create(&thread, &detached, run, errand);
	pthread_attr_destroy(&detached);
	if (error)
		return -1;
	while (sem_wait(&errand->done) != 0)
		;
	return 0;
}

static void *load_in_thread(int fd)
{
	errand_below_proc errand = {.fd = fd, .ended = -1};
	if (sem_init(&errand.done, 0, 0) != 0)
		return NULL;
	if (run_errand(leave_directory, &errand) == 0 && errand.ended >= 0) {
		run_errand(load_below_proc, &errand);
		close(errand.ended);
	}
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
		library = load_descriptor("/proc/self/fd", fd);
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
