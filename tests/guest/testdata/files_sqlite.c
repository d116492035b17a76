/* SPDX-License-Identifier: Apache-2.0 */

/* files_sqlite FOLDER: the system calls that SQLite gets in the module. */
#include "host.h"

#include "../../../internal/fresh/descriptors.c"
#include "../../../internal/fresh/oversize.c"
#include "../../../internal/fresh/sqlite.c"

/* In place of SQLite: a VFS that keeps what it is given. */
static sqlite_call replaced;

static sqlite_call get(sqlite_vfs *vfs UNUSED, const char *name)
{
	return strcmp(name, "pread64") == 0 ? NULL : (sqlite_call)abort; /* which is not compiled in */
}

static int set(sqlite_vfs *vfs UNUSED, const char *name, sqlite_call call)
{
	CHECK(strcmp(name, "pread64") != 0 && call != NULL);
	if (strcmp(name, "open") == 0)
		replaced = call;
	return 0;
}

sqlite_vfs *sqlite3_vfs_find(const char *name)
{
	static sqlite_vfs vfs = {.version = 3, .set_system_call = set, .get_system_call = get};
	return strcmp(name, "unix") == 0 ? &vfs : NULL;
}

static char file[4096], hosts[4096];

static int open_file(void)
{
	int fd = sqlite_open(file, O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0);
	return fd;
}

static struct flock whole_file(int type) { return (struct flock){.l_type = type, .l_whence = SEEK_SET}; }

/* Makes a number that of a file of the host. */
static void take_over(int fd)
{
	int other = open(hosts, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(other >= 0 && write(other, "host", 4) == 4 && dup2(other, fd) == fd);
	close(other);
}

static void check_host(int fd)
{
	char text[8];
	struct stat st;
	CHECK(fstat(fd, &st) == 0 && st.st_size == 4 && (st.st_mode & 0777) == 0600);
	CHECK(pread(fd, text, sizeof text, 0) == 4 && memcmp(text, "host", 4) == 0);
	CHECK(lseek(fd, 0, SEEK_CUR) == 4);
}

static void lost(void)
{
	char b[4];
	struct stat st;
	struct flock lock = whole_file(F_WRLCK);
	int fd = open_file();
	CHECK(fd >= HIGH && zk_files_intact());
	CHECK(sqlite_pwrite(fd, "file", 4, 0) == 4 && sqlite_pread(fd, b, 4, 0) == 4 && sqlite_fcntl(fd, F_SETLK, &lock) == 0);
	take_over(fd);
#define LOST(CALL) CHECK((errno = 0, (CALL)) == -1 && errno == EBADF)
	LOST(sqlite_pwrite(fd, "file", 4, 0));
	LOST(sqlite_pwrite64(fd, "file", 4, 0));
	LOST(sqlite_pread(fd, b, 4, 0));
	LOST(sqlite_pread64(fd, b, 4, 0));
	LOST(sqlite_write(fd, "file", 4));
	LOST(sqlite_read(fd, b, 4));
	LOST(sqlite_ftruncate(fd, 0));
	LOST(sqlite_fstat(fd, &st));
	LOST(sqlite_fchmod(fd, 0666));
	LOST(sqlite_fchown(fd, getuid(), getgid()));
	LOST(sqlite_fcntl(fd, F_SETFD, &lock));
	CHECK(sqlite_mmap(NULL, 4, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EBADF);
#undef LOST
	CHECK(sqlite_fcntl(fd, F_SETLK, &lock) == 0 && sqlite_fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK);
	lock.l_type = F_WRLCK;
	CHECK(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK); /* the host's file has none */
	CHECK(sqlite_close(fd) == 0);
	check_host(fd);
	close(fd);
	CHECK(zk_files_intact());
}

/* A number that was lost is not given to another file while SQLite knows the old one by it. */
static void lost_number(void)
{
	int first = open_file();
	close(first);
	int second = open_file();
	CHECK(second >= HIGH && second != first);
	CHECK(sqlite_pwrite(first, "file", 4, 0) == -1 && sqlite_pwrite(second, "file", 4, 0) == 4);
	CHECK(!zk_files_intact()); /* and with one all are given up */
	CHECK(sqlite_pwrite(second, "file", 4, 0) == -1 && errno == EBADF);
	CHECK(sqlite_close(first) == 0 && sqlite_close(second) == 0);
	CHECK(fcntl(second, F_GETFD) == -1 && zk_files_intact());
}

static int locked_for_others(void)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		struct flock lock = whole_file(F_WRLCK);
		int fd = open(file, O_RDWR);
		_exit(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Record locks go with the first descriptor of a file that is closed: opening closes none. */
static void locks_stay(void)
{
	struct flock lock = whole_file(F_WRLCK);
	int first = open_file();
	CHECK(sqlite_fcntl(first, F_SETLK, &lock) == 0 && locked_for_others());
	int second = open_file();
	CHECK(locked_for_others());
	CHECK(sqlite_close(second) == 0 && sqlite_close(first) == 0);
}

static void standard_numbers(void)
{
	int out = fcntl(STDOUT_FILENO, F_DUPFD, 50);
	CHECK(out >= 0);
	close(0);
	close(1);
	int first = open_file(), second = open_file();
	CHECK(fcntl(0, F_GETFD) == -1 && fcntl(1, F_GETFD) == -1);
	CHECK(first > 2 && second > 2 && dup2(out, STDOUT_FILENO) == STDOUT_FILENO);
	CHECK(sqlite_close(first) == 0 && sqlite_close(second) == 0);
}

static void given_up(void)
{
	struct stat st;
	int fd = open_file();
	CHECK(sqlite_fstat(fd, &st) == 0);
	zk_files_give_up(st.st_dev, st.st_ino + 1);
	CHECK(sqlite_pwrite(fd, "file", 4, 0) == 4);
	int kept = sqlite_open(hosts, O_RDWR | O_CREAT | O_TRUNC, 0600);
	zk_files_give_up(st.st_dev, st.st_ino);
	CHECK(sqlite_pwrite(fd, "file", 4, 0) == -1 && errno == EBADF);
	CHECK(zk_files_intact() && sqlite_pwrite(kept, "file", 4, 0) == 4); /* the host has closed none */
	CHECK(sqlite_close(kept) == 0 && sqlite_close(fd) == 0);
	fd = open_file();
	CHECK(sqlite_pwrite(fd, "file", 4, 0) == 4 && sqlite_close(fd) == 0);
}

/* Memory of a file that was cut holds zeros, and all that SQLite has open is given up. */
static void cut_mapping(void)
{
	enum { SIZE = 4096 };
	int fd = open_file();
	unsigned cuts = zk_files_cut();
	CHECK(sqlite_ftruncate(fd, SIZE) == 0 && sqlite_pwrite(fd, "file", 4, 0) == 4);
	char *memory = sqlite_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(memory != MAP_FAILED && memory[0] == 'f');
	CHECK(!zk_files_mend(memory - 1) && !zk_files_mend(memory + SIZE));
	CHECK(truncate(file, 0) == 0 && zk_files_mend(memory + 1));
	CHECK(memory[0] == 0 && zk_files_cut() == cuts + 1);
	CHECK(sqlite_pwrite(fd, "file", 4, 0) == -1 && errno == EBADF);
	CHECK(sqlite_munmap(memory, SIZE) == 0 && !zk_files_mend(memory + 1));
	CHECK(sqlite_close(fd) == 0);
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	snprintf(file, sizeof file, "%s/file", argv[1]);
	snprintf(hosts, sizeof hosts, "%s/host", argv[1]);
	CHECK(zk_guard_files() == 0 && replaced == (sqlite_call)sqlite_open);
	lost();
	lost_number();
	locks_stay();
	standard_numbers();
	given_up();
	cut_mapping();
	return 0;
}
