/* SPDX-License-Identifier: Apache-2.0 */

/*
 * harden PATH COMMAND...: runs a command as a unit of systemd does with the options of docs/clients/nginx.md:
 * ProtectSystem=strict with ReadWritePaths=PATH, NoNewPrivileges, MemoryDenyWriteExecute, RestrictAddressFamilies and
 * SystemCallFilter=@system-service. allowed.h, which the test makes, has the numbers of that set.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

#define CHECK(X)                                                                                                         \
	do {                                                                                                                 \
		if (!(X)) {                                                                                                      \
			perror(#X);                                                                                                  \
			exit(99);                                                                                                    \
		}                                                                                                                \
	} while (0)

static const int allowed[] = {
#include "allowed.h"
};

enum { ALLOWED = sizeof allowed / sizeof allowed[0] };

/* ---- ProtectSystem=strict, ReadWritePaths= ------------------------------------------------------------------ */

static int clone_tree(const char *path)
{
	return syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
}

static void protect_system(const char *writable)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY}, apart = {.propagation = 1 << 18 /* MS_PRIVATE */};
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &apart, sizeof apart) == 0);
	int tree = clone_tree(writable);
	CHECK(tree >= 0);
	CHECK(syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof read_only) == 0);
	CHECK(syscall(SYS_move_mount, tree, "", AT_FDCWD, writable, MOVE_MOUNT_F_EMPTY_PATH) == 0);
	close(tree);
}

/* ---- filters ------------------------------------------------------------------------------------------------ */

#define FIELD(F) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, F))
#define EQUALS(VALUE, YES, NO) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, VALUE, YES, NO)
#define ANY_OF(BITS, YES, NO) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, BITS, YES, NO)
#define ANSWER(A) BPF_STMT(BPF_RET | BPF_K, A)

static void install(struct sock_filter *filter, int length)
{
	struct sock_fprog program = {.len = length, .filter = filter};
	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
}

/* RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 */
static void restrict_families(void)
{
	struct sock_filter filter[] = {
		FIELD(nr),
		EQUALS(SYS_socket, 0, 5),
		FIELD(args[0]),
		EQUALS(AF_UNIX, 3, 0),
		EQUALS(AF_INET, 2, 0),
		EQUALS(AF_INET6, 1, 0),
		ANSWER(SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		ANSWER(SECCOMP_RET_ALLOW),
	};
	install(filter, sizeof filter / sizeof filter[0]);
}

/* MemoryDenyWriteExecute=yes, for kernels without PR_SET_MDWE, and beside it. */
static void deny_executable_memory(void)
{
	struct sock_filter filter[] = {
		FIELD(nr),
		EQUALS(SYS_mprotect, 1, 0),
		EQUALS(SYS_pkey_mprotect, 0, 3),
		FIELD(args[2]),
		ANY_OF(PROT_EXEC, 0, 1),
		ANSWER(SECCOMP_RET_ERRNO | EPERM),
		ANSWER(SECCOMP_RET_ALLOW),
	};
	install(filter, sizeof filter / sizeof filter[0]);
	prctl(PR_SET_MDWE, 1 /* PR_MDWE_REFUSE_EXEC_GAIN */, 0, 0, 0);
}

/* SystemCallFilter=@system-service: another call ends the process. */
static void allow_system_service(void)
{
	static struct sock_filter filter[2 * ALLOWED + 2] = {FIELD(nr)};
	int n = 1;
	for (int i = 0; i < ALLOWED; i++) {
		filter[n++] = (struct sock_filter)EQUALS(allowed[i], 0, 1);
		filter[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
	}
	filter[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_KILL_PROCESS);
	install(filter, n);
}

int main(int argc, char **argv)
{
	CHECK(argc > 2);
	protect_system(argv[1]);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	restrict_families();
	deny_executable_memory();
	allow_system_service();
	execvp(argv[2], argv + 2);
	CHECK(!"execvp");
}
