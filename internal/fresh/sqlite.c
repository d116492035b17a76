/* SPDX-License-Identifier: Apache-2.0 */
#include "sqlite.h"

#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "descriptors.h"
#include "oversize.h"

/* ---- the part of SQLite's interface that is used (sqlite3.h, "OS Interface Object") ------------- */

typedef void (*sqlite_call)(void);

typedef struct sqlite_vfs {
	int version, file_size, longest_path;
	struct sqlite_vfs *next;
	const char *name;
	void *data;
	sqlite_call methods[13]; /* xOpen to xCurrentTimeInt64 */
	int (*set_system_call)(struct sqlite_vfs *, const char *name, sqlite_call);
	sqlite_call (*get_system_call)(struct sqlite_vfs *, const char *name);
	const char *(*next_system_call)(struct sqlite_vfs *, const char *name);
} sqlite_vfs;

sqlite_vfs *sqlite3_vfs_find(const char *name);

/* ---- the descriptors ---------------------------------------------------------------------------- */

typedef struct sqlite_file {
	descriptor d;  /* fd -1: the entry is free */
	int given_up;  /* it is closed and nothing else: somebody wants that */
	int lost;      /* the same: the host has closed it, or another one */
	unsigned cuts; /* sqlite_cuts when it was opened: given up, when there are more now */
	struct sqlite_file *next;
} sqlite_file;

static sqlite_file *sqlite_files; /* entries are never taken out */
static pthread_mutex_t sqlite_files_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned sqlite_cuts; /* of files that are mapped */

/* With the lock held, as what follows. */
static sqlite_file *find_sqlite_file(int fd)
{
	sqlite_file *f = sqlite_files;
	while (f && f->d.fd != fd)
		f = f->next;
	return f;
}

static sqlite_file *free_sqlite_file(void)
{
	sqlite_file *f = find_sqlite_file(-1);
	if (!f && (f = malloc(sizeof *f))) {
		f->d.fd = -1;
		f->next = sqlite_files;
		sqlite_files = f;
	}
	return f;
}

/*
 * Reports whether SQLite has the file open by another descriptor: its record locks
 * would be gone when this one is closed.
 */
static int locked_elsewhere(const descriptor *d)
{
	for (sqlite_file *f = sqlite_files; f; f = f->next) {
		if (f->d.fd >= 0 && f->d.fd != d->fd && f->d.device == d->device && f->d.inode == d->inode && zk_intact(&f->d))
			return 1;
	}
	return 0;
}

/* Duplicates fd at a number under which SQLite knows no file that the host has closed. */
static int duplicate_sqlite_file(int fd, int from)
{
	int at;
	while ((at = fcntl(fd, F_DUPFD_CLOEXEC, from)) >= 0 && find_sqlite_file(at)) {
		close(at);
		from = at + 1;
	}
	return at;
}

/* Moves a new descriptor to a number that is its own; -1 when there is none. */
static int settle_sqlite_file(int fd)
{
	descriptor d;
	int stays = fd > STDERR_FILENO && !find_sqlite_file(fd);
	if (zk_identify(&d, fd) != 0 || (stays && locked_elsewhere(&d)))
		return fd;
	int at = duplicate_sqlite_file(fd, HIGH);
	if (at < 0 && stays)
		return fd;
	if (at < 0)
		at = duplicate_sqlite_file(fd, STDERR_FILENO + 1);
	int why = errno;
	close(fd);
	errno = why;
	return at;
}

static int note_sqlite_file(int fd)
{
	pthread_mutex_lock(&sqlite_files_lock);
	sqlite_file *f = free_sqlite_file();
	int at = f ? settle_sqlite_file(fd) : fd;
	if (at >= 0 && (!f || zk_identify(&f->d, at) != 0)) {
		close(at);
		errno = ENOMEM;
		at = -1;
	}
	if (at >= 0) {
		f->given_up = f->lost = 0;
		f->cuts = __atomic_load_n(&sqlite_cuts, __ATOMIC_SEQ_CST);
	}
	pthread_mutex_unlock(&sqlite_files_lock);
	return at;
}

/* Reports whether the descriptor is the file that SQLite opened, and sets errno if not. */
static int is_sqlite_file(int fd)
{
	pthread_mutex_lock(&sqlite_files_lock);
	sqlite_file *f = find_sqlite_file(fd);
	int is = f && !f->given_up && !f->lost && f->cuts == __atomic_load_n(&sqlite_cuts, __ATOMIC_SEQ_CST) && zk_intact(&f->d);
	pthread_mutex_unlock(&sqlite_files_lock);
	if (!is)
		errno = EBADF;
	return is;
}

/*
 * Reports whether the host has left SQLite all its descriptors. If not, those that are
 * left are given up too: with the others their locks went, so that SQLite must not
 * write its log into the database when it closes it, nor read an index that another
 * process has cut by now. A file that was given up on purpose, and is about to be
 * closed, says nothing of the host.
 */
int zk_files_intact(void)
{
	int all = 1;
	pthread_mutex_lock(&sqlite_files_lock);
	for (sqlite_file *f = sqlite_files; f && all; f = f->next)
		all = f->d.fd < 0 || (!f->lost && zk_intact(&f->d));
	for (sqlite_file *f = sqlite_files; f && !all; f = f->next)
		f->lost = f->d.fd >= 0;
	pthread_mutex_unlock(&sqlite_files_lock);
	return all;
}

/* Has SQLite do nothing more to a file but close it. */
void zk_files_give_up(uint64_t device, uint64_t inode)
{
	pthread_mutex_lock(&sqlite_files_lock);
	for (sqlite_file *f = sqlite_files; f; f = f->next) {
		if (f->d.fd >= 0 && f->d.device == device && f->d.inode == inode)
			f->given_up = 1;
	}
	pthread_mutex_unlock(&sqlite_files_lock);
}

uint64_t zk_files_cut(void) { return __atomic_load_n(&sqlite_cuts, __ATOMIC_SEQ_CST); }

/* ---- what is mapped ------------------------------------------------------------------------------ */

typedef struct sqlite_mapping {
	uintptr_t start; /* 0: the entry is free. Written last, for a fault may come at any moment */
	size_t size;
	struct sqlite_mapping *next;
} sqlite_mapping;

static sqlite_mapping *sqlite_mappings; /* entries are never taken out */

/* With sqlite_files_lock held; 0 when there is no memory. */
static int note_sqlite_mapping(uintptr_t start, size_t size)
{
	sqlite_mapping *m = sqlite_mappings;
	while (m && m->start)
		m = m->next;
	if (!m && (m = calloc(1, sizeof *m))) {
		m->next = sqlite_mappings;
		__atomic_store_n(&sqlite_mappings, m, __ATOMIC_RELEASE);
	}
	if (!m)
		return 0;
	m->size = size;
	__atomic_store_n(&m->start, start, __ATOMIC_RELEASE);
	return 1;
}

/*
 * For a handler of SIGBUS: puts zeros where a file was cut that SQLite has mapped, and gives
 * up all files that it has open. Reports whether the address is in such a mapping.
 */
int zk_files_mend(const void *where)
{
	uintptr_t address = (uintptr_t)where;
	for (sqlite_mapping *m = __atomic_load_n(&sqlite_mappings, __ATOMIC_ACQUIRE); m; m = m->next) {
		uintptr_t start = __atomic_load_n(&m->start, __ATOMIC_ACQUIRE);
		if (!start || address - start >= m->size)
			continue;
		__atomic_add_fetch(&sqlite_cuts, 1, __ATOMIC_SEQ_CST);
		return mmap((void *)start, m->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
	}
	return 0;
}

/* ---- the system calls --------------------------------------------------------------------------- */

/*
 * Duplicates the descriptor by which SQLite has the file open already; -1 when there is
 * none. A new one could not be moved to a number of its own: when it is closed under the
 * number that it got first, the record locks of the other go.
 */
static int share_sqlite_file(const char *path, int flags)
{
	struct stat st;
	if ((flags & O_EXCL) || lstat(path, &st) != 0)
		return -1;
	int at = -1;
	pthread_mutex_lock(&sqlite_files_lock);
	for (sqlite_file *f = sqlite_files; f && at < 0; f = f->next) {
		if (f->d.fd < 0 || f->given_up || f->lost || f->cuts != zk_files_cut() || f->d.device != st.st_dev || f->d.inode != st.st_ino || !zk_intact(&f->d))
			continue;
		if ((fcntl(f->d.fd, F_GETFL) & O_ACCMODE) == (flags & O_ACCMODE))
			at = duplicate_sqlite_file(f->d.fd, HIGH);
	}
	pthread_mutex_unlock(&sqlite_files_lock);
	return at;
}

/* Reports whether the owner of a file may write into its directory anyway. */
static int is_trusted(const char *path, const struct stat *st)
{
	if (st->st_uid == 0 || st->st_uid == geteuid())
		return 1;
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX]; /* not of strndup, which may have another allocator than the library (legacy.c) */
	int length = slash ? (int)(slash - path) + 1 : 0;
	struct stat in;
	if (length >= PATH_MAX)
		return 0;
	snprintf(directory, sizeof directory, "%.*s.", length, path);
	return stat(directory, &in) == 0 && (st->st_uid == in.st_uid || ((in.st_mode & S_IWGRP) && st->st_gid == in.st_gid));
}

/* Reports whether SQLite may have a file: its own, and a directory to sync it. */
static int is_acceptable(const char *path, int flags, int fd)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return (flags & O_ACCMODE) == O_RDONLY;
	return S_ISREG(st.st_mode) && st.st_nlink <= 1 && is_trusted(path, &st);
}

static int open_acceptable(const char *path, int flags, int mode)
{
	if (strncmp(path, "/dev/", 5) == 0)
		return zk_open_plugged(path, flags, mode);
	int fd = zk_open_plugged(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode);
	if (fd < 0 || is_acceptable(path, flags, fd))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

static int sqlite_open(const char *path, int flags, int mode)
{
	int fd = share_sqlite_file(path, flags);
	if (fd < 0)
		fd = open_acceptable(path, flags, mode);
	return fd < 0 ? fd : note_sqlite_file(fd);
}

/* SQLite opens what a symbolic link leads to. It shall see none, and then fail to open it. */
static int sqlite_lstat(const char *path, struct stat *st) { return stat(path, st); }

/* What the host has closed is closed. */
static int sqlite_close(int fd)
{
	pthread_mutex_lock(&sqlite_files_lock);
	sqlite_file *f = find_sqlite_file(fd);
	int is = f && zk_intact(&f->d);
	if (f)
		f->d.fd = -1;
	pthread_mutex_unlock(&sqlite_files_lock);
	return is ? close(fd) : 0;
}

static int sqlite_fstat(int fd, struct stat *st) { return is_sqlite_file(fd) ? fstat(fd, st) : -1; }
static int sqlite_ftruncate(int fd, off_t size) { return is_sqlite_file(fd) ? (int)zk_without_signal(ftruncate(fd, size)) : -1; }
static int sqlite_fchmod(int fd, mode_t mode) { return is_sqlite_file(fd) ? fchmod(fd, mode) : -1; }

/*
 * A record lock that fails is one that others have, for SQLite, and then it tries again for
 * ten seconds. So a file that it has lost, or that was given up, gets all locks: nobody is
 * kept out by them (internal/sharedfile has its own), and what follows, to read or write the
 * file, fails at once.
 */
static int lock_nothing(int fd, int command, struct flock *lock)
{
	if (command != F_SETLK && command != F_GETLK)
		return -1;
	pthread_mutex_lock(&sqlite_files_lock);
	int known = find_sqlite_file(fd) != NULL;
	pthread_mutex_unlock(&sqlite_files_lock);
	if (!known)
		return -1;
	if (command == F_GETLK)
		lock->l_type = F_UNLCK;
	return 0;
}

static int sqlite_fcntl(int fd, int command, ...)
{
	va_list rest;
	va_start(rest, command);
	void *argument = va_arg(rest, void *);
	va_end(rest);
	return is_sqlite_file(fd) ? fcntl(fd, command, argument) : lock_nothing(fd, command, argument);
}

static ssize_t sqlite_read(int fd, void *to, size_t n) { return is_sqlite_file(fd) ? read(fd, to, n) : -1; }
static ssize_t sqlite_write(int fd, const void *from, size_t n) { return is_sqlite_file(fd) ? zk_without_signal(write(fd, from, n)) : -1; }

static ssize_t sqlite_pread(int fd, void *to, size_t n, off_t at)
{
	return is_sqlite_file(fd) ? pread(fd, to, n, at) : -1;
}

static ssize_t sqlite_pwrite(int fd, const void *from, size_t n, off_t at)
{
	return is_sqlite_file(fd) ? zk_without_signal(pwrite(fd, from, n, at)) : -1;
}

static ssize_t sqlite_pread64(int fd, void *to, size_t n, off64_t at)
{
	return is_sqlite_file(fd) ? pread64(fd, to, n, at) : -1;
}

static ssize_t sqlite_pwrite64(int fd, const void *from, size_t n, off64_t at)
{
	return is_sqlite_file(fd) ? zk_without_signal(pwrite64(fd, from, n, at)) : -1;
}

/* For root, who gives new files to the owner of the database. Nearly always that is root, and filters may forbid it. */
static int sqlite_fchown(int fd, uid_t owner, gid_t group)
{
	struct stat st;
	if (sqlite_fstat(fd, &st) != 0)
		return -1;
	return st.st_uid == owner && st.st_gid == group ? 0 : fchown(fd, owner, group);
}

static void *sqlite_mmap(void *address, size_t size, int protection, int flags, int fd, off_t at)
{
	if (fd != -1 && !is_sqlite_file(fd))
		return MAP_FAILED;
	void *mapped = mmap(address, size, protection, flags, fd, at);
	if (mapped == MAP_FAILED || fd == -1)
		return mapped;
	pthread_mutex_lock(&sqlite_files_lock);
	int noted = note_sqlite_mapping((uintptr_t)mapped, size);
	pthread_mutex_unlock(&sqlite_files_lock);
	if (noted)
		return mapped;
	munmap(mapped, size);
	errno = ENOMEM;
	return MAP_FAILED;
}

static int sqlite_munmap(void *address, size_t size)
{
	pthread_mutex_lock(&sqlite_files_lock);
	for (sqlite_mapping *m = sqlite_mappings; m; m = m->next) {
		if (m->start == (uintptr_t)address)
			__atomic_store_n(&m->start, 0, __ATOMIC_RELEASE);
	}
	int result = munmap(address, size);
	pthread_mutex_unlock(&sqlite_files_lock);
	return result;
}

/* SQLite deletes the log of a database that it finds empty: somebody is just putting that back. */
static int sqlite_unlink(const char *path)
{
	size_t n = strlen(path);
	if (n < 4 || strcmp(path + n - 4, "-wal") != 0)
		return unlink(path);
	errno = EPERM;
	return -1;
}

/* Replaces the system calls that this SQLite uses, before it opens its first file; -1 when it cannot. */
int zk_guard_files(void)
{
	static const struct {
		const char *name;
		sqlite_call call;
	} calls[] = {
		{"open", (sqlite_call)sqlite_open}, {"close", (sqlite_call)sqlite_close},
		{"fstat", (sqlite_call)sqlite_fstat}, {"ftruncate", (sqlite_call)sqlite_ftruncate},
		{"fcntl", (sqlite_call)sqlite_fcntl}, {"fchmod", (sqlite_call)sqlite_fchmod},
		{"read", (sqlite_call)sqlite_read}, {"write", (sqlite_call)sqlite_write},
		{"pread", (sqlite_call)sqlite_pread}, {"pwrite", (sqlite_call)sqlite_pwrite},
		{"pread64", (sqlite_call)sqlite_pread64}, {"pwrite64", (sqlite_call)sqlite_pwrite64},
		{"fchown", (sqlite_call)sqlite_fchown}, {"mmap", (sqlite_call)sqlite_mmap},
		{"munmap", (sqlite_call)sqlite_munmap}, {"lstat", (sqlite_call)sqlite_lstat},
		{"unlink", (sqlite_call)sqlite_unlink},
	};
	sqlite_vfs *vfs = sqlite3_vfs_find("unix");
	if (!vfs || vfs->version < 3)
		return -1;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		if (vfs->get_system_call(vfs, calls[i].name)) /* the others are not compiled in */
			vfs->set_system_call(vfs, calls[i].name, calls[i].call);
	}
	return 0;
}
