/* SPDX-License-Identifier: Apache-2.0 */

/* files_chown MODULE run: a life under a filter that kills a process that asks for another owner of a file. */
#include "files.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS SECCOMP_RET_KILL
#endif

#define KILL_ON(NUMBER) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (NUMBER), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static void filter(void)
{
	static struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_chown
		KILL_ON(SYS_chown),
#endif
#ifdef SYS_lchown
		KILL_ON(SYS_lchown),
#endif
		KILL_ON(SYS_fchown),
		KILL_ON(SYS_fchownat),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* The control: the filter kills. */
static void check_filter(void)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		CHECK(fchown(STDIN_FILENO, -1, -1) == 0);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void init_token(void)
{
	CK_UTF8CHAR so[] = "87654321", label[33] = "harness                         ", *pin = (CK_UTF8CHAR *)getenv("ZK_TEST_PIN");
	MUST(F->C_Initialize(NULL));
	MUST(F->C_InitToken(0, so, 8, label));
	CK_SESSION_HANDLE h = session(F);
	MUST(F->C_Login(h, CKU_SO, so, 8));
	MUST(F->C_InitPIN(h, pin, strlen((char *)pin)));
	MUST(F->C_Finalize(NULL));
}

static void run(void)
{
	filter();
	check_filter();
	F = load(module);
	init_token(); /* the state is new */
	whole();      /* and old */
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"run", run}};
	alarm(60);
	return RUN_BARE(argc, argv, all);
}
