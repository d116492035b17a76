/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Preloaded, it shuts ways by which a forked child gets its copy of a library, so that
 * the one is left that ZK_TEST_WAY names: memfd (no file can be made), path (the
 * descriptor of the library is not to be had either) or file (no memory).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int left(const char *way)
{
	const char *only = getenv("ZK_TEST_WAY");
	return only && strcmp(only, way) == 0;
}

static int refuse(int why)
{
	errno = why;
	return -1;
}

int memfd_create(const char *name, unsigned flags)
{
	return left("file") ? refuse(ENOSYS) : (int)syscall(SYS_memfd_create, name, flags);
}

static int make_file(char *path, int flags)
{
	if (left("memfd") || left("path"))
		return refuse(EACCES);
	int (*next)(char *, int);
	*(void **)&next = dlsym(RTLD_NEXT, "mkostemp");
	return next(path, flags);
}

int mkostemp(char *path, int flags) { return make_file(path, flags); }
int mkostemp64(char *path, int flags) { return make_file(path, flags); }

static int is_library(int fd)
{
	char link[64], path[4096];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path);
	return n > 3 && memcmp(path + n - 3, ".so", 3) == 0;
}

static int control(int fd, int command, long argument)
{
	if (command == F_DUPFD_CLOEXEC && left("path") && is_library(fd))
		return refuse(EMFILE);
	return (int)syscall(SYS_fcntl, fd, command, argument);
}

int fcntl(int fd, int command, ...)
{
	va_list rest;
	va_start(rest, command);
	long argument = va_arg(rest, long);
	va_end(rest);
	return control(fd, command, argument);
}

int fcntl64(int fd, int command, ...)
{
	va_list rest;
	va_start(rest, command);
	long argument = va_arg(rest, long);
	va_end(rest);
	return control(fd, command, argument);
}
