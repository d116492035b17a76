/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Descriptors in a process that is somebody else's. The host may close any number at
 * any moment, and then it is that of another file: code that keeps one looks whose it
 * is before each use. And 0 to 2 are the host's, also while it has them closed.
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

/* Within one library: another that is loaded beside it has its own. */
#pragma GCC visibility push(hidden)

/* Looks which file a descriptor is; -1 when it is none. */
int zk_identify(descriptor *d, int fd);

/* Reports whether the descriptor is the file that it was. */
int zk_intact(const descriptor *d);

void zk_close_intact(const descriptor *d);

/* The same file at a number from HIGH up, or from 3 up where the limit is lower. Closes fd. */
int zk_raise_descriptor(int fd);

/* Opens a file at a number that is not the host's. */
int zk_open_plugged(const char *path, int flags, mode_t mode);

int zk_open_high(const char *path, int flags, mode_t mode);

#pragma GCC visibility pop

#endif
