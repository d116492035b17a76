/* SPDX-License-Identifier: Apache-2.0 */
#include "locks.h"

#include <pthread.h>
#include <stdlib.h>

#include "descriptors.h"

typedef struct lock_file {
	descriptor d; /* fd -1: the entry is free. Written last, for a fork may come at any moment */
	struct lock_file *next;
} lock_file;

static lock_file *lock_files; /* entries are never taken out */
static pthread_mutex_t lock_files_change = PTHREAD_MUTEX_INITIALIZER;

static lock_file *find_lock_file(int fd)
{
	lock_file *l = lock_files;
	while (l && l->d.fd != fd)
		l = l->next;
	return l;
}

static lock_file *free_lock_file(void)
{
	lock_file *l = find_lock_file(-1);
	if (!l && (l = malloc(sizeof *l))) {
		l->d.fd = -1;
		l->next = lock_files;
		__atomic_store_n(&lock_files, l, __ATOMIC_RELEASE);
	}
	return l;
}

void zk_lock_opened(int fd)
{
	descriptor d;
	if (zk_identify(&d, fd) != 0)
		return;
	pthread_mutex_lock(&lock_files_change);
	lock_file *l = free_lock_file();
	if (l) {
		l->d.device = d.device;
		l->d.inode = d.inode;
		__atomic_store_n(&l->d.fd, fd, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&lock_files_change);
}

void zk_lock_closes(int fd)
{
	pthread_mutex_lock(&lock_files_change);
	lock_file *l = find_lock_file(fd);
	if (l)
		__atomic_store_n(&l->d.fd, -1, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&lock_files_change);
}

/* Without the mutex, which one of the threads that are gone may have held. */
void zk_close_lock_files(void)
{
	for (lock_file *l = lock_files; l; l = l->next) {
		zk_close_intact(&l->d);
		l->d.fd = -1;
	}
}
