/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Descriptors in a process that is somebody else's. The host may close any number at
 * any moment, and then it is that of another file: who keeps one looks whose it is
 * before each use. And 0 to 2 are the host's, also while it has them closed.
 */
#ifndef ZK_DESCRIPTORS_H
#define ZK_DESCRIPTORS_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HIGH = 100 }; /* descriptors from here on survive the usual loops that close them */

/* A descriptor, and the file that it is. */
typedef struct {
	int fd; /* -1: none */
	dev_t device;
	ino_t inode;
} descriptor;

/* Looks which file a descriptor is; -1 when it is none. */
static inline int identify(descriptor *d, int fd)
{
	struct stat st;
	d->fd = -1;
	if (fd < 0 || fstat(fd, &st) != 0)
		return -1;
	d->fd = fd;
	d->device = st.st_dev;
	d->inode = st.st_ino;
	return 0;
}

/* Reports whether the descriptor is the file that it was. */
static inline int intact(const descriptor *d)
{
	descriptor now;
	return d->fd >= 0 && identify(&now, d->fd) == 0 && now.device == d->device && now.inode == d->inode;
}

static inline void close_intact(const descriptor *d)
{
	if (intact(d))
		close(d->fd);
}

/* The same file at a number from HIGH up, or from 3 up where the limit is lower. Closes fd. */
static inline int raise_descriptor(int fd)
{
	if (fd < 0)
		return fd;
	int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);
	if (high < 0 && fd > STDERR_FILENO)
		return fd;
	if (high < 0)
		high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int why = errno;
	close(fd);
	errno = why;
	return high;
}

/* What stands at the numbers 0 to 2 that the host has closed, while a file is opened. */
typedef struct {
	descriptor at[STDERR_FILENO + 1];
} plugs;

/* A plug can neither be read nor written, as if it were not there. */
static inline void plug_standard(plugs *p)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		p->at[fd].fd = -1;
		if (fcntl(fd, F_GETFD) < 0)
			identify(&p->at[fd], open("/", O_PATH | O_CLOEXEC));
	}
}

static inline void unplug_standard(const plugs *p)
{
	int why = errno;
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		close_intact(&p->at[fd]);
	errno = why;
}

/* Opens a file at a number that is not the host's. */
static inline int open_plugged(const char *path, int flags, mode_t mode)
{
	plugs p;
	plug_standard(&p);
	int fd = open(path, flags | O_CLOEXEC, mode);
	unplug_standard(&p);
	return fd;
}

static inline int open_high(const char *path, int flags, mode_t mode)
{
	return raise_descriptor(open_plugged(path, flags, mode));
}

#endif
