/* SPDX-License-Identifier: Apache-2.0 */
#include "descriptors.h"

/* Looks which file a descriptor is; -1 when it is none. */
int zk_identify(descriptor *d, int fd)
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
int zk_intact(const descriptor *d)
{
	descriptor now;
	return d->fd >= 0 && zk_identify(&now, d->fd) == 0 && now.device == d->device && now.inode == d->inode;
}

void zk_close_intact(const descriptor *d)
{
	if (zk_intact(d))
		close(d->fd);
}

/* The same file at a number from HIGH up, or from 3 up where the limit is lower. Closes fd. */
int zk_raise_descriptor(int fd)
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
static void plug_standard(plugs *p)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		p->at[fd].fd = -1;
		if (fcntl(fd, F_GETFD) < 0)
			zk_identify(&p->at[fd], open("/", O_PATH | O_CLOEXEC));
	}
}

static void unplug_standard(const plugs *p)
{
	int why = errno;
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		zk_close_intact(&p->at[fd]);
	errno = why;
}

/* Opens a file at a number that is not the host's. */
int zk_open_plugged(const char *path, int flags, mode_t mode)
{
	plugs p;
	plug_standard(&p);
	int fd = open(path, flags | O_CLOEXEC, mode);
	unplug_standard(&p);
	return fd;
}

int zk_open_high(const char *path, int flags, mode_t mode)
{
	return zk_raise_descriptor(zk_open_plugged(path, flags, mode));
}
