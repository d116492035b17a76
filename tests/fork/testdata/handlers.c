/* SPDX-License-Identifier: Apache-2.0 */

/*
 * handlers MODULE SCENARIO: handlers of the host, for forks and for signals. The scenarios load the module
 * themselves, some of them after they set up their handlers.
 */
#include <setjmp.h>
#include <signal.h>

#include "forks.h"

/* ---- C_Initialize from the host's own handlers ------------------------------------------------- */

static void initialize_in_handler(void)
{
	EXPECT(F->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_Initialize(NULL), CKR_OK);
}

static void already_initialized(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
	use();
	in_child(use); /* the handler runs for the grandchild too */
	use();
}

static void handler_before_module(void)
{
	pthread_atfork(NULL, NULL, initialize_in_handler);
	F = load(module);
	start_and_use();
	in_child(already_initialized);
	use();
}

static void handler_after_module(void)
{
	F = load(module);
	start_and_use();
	pthread_atfork(NULL, NULL, initialize_in_handler);
	in_child(already_initialized);
	use();
}

/* ---- signals of the host ----------------------------------------------------------------------- */

static volatile sig_atomic_t pipes;
static sigjmp_buf out;

static void count_pipe(int signal) { pipes += signal == SIGPIPE; }
static void leave_fault(int signal) { siglongjmp(out, signal); }

static void write_to_nobody(void)
{
	int ends[2];
	CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
	CHECK(write(ends[1], "x", 1) == -1);
	close(ends[1]);
}

/* What the host handled before the module was loaded is still handled by the host. */
static void handlers_work(void)
{
	volatile int *nowhere = NULL;
	start_and_use();
	pipes = 0;
	write_to_nobody();
	CHECK(pipes == 1);
	if (sigsetjmp(out, 1) == 0) {
		*nowhere = 1;
		CHECK(0);
	}
	use();
}

static void handlers_work_deeper(void)
{
	handlers_work();
	in_child(handlers_work);
}

static void host_handlers(void)
{
	signal(SIGPIPE, count_pipe);
	signal(SIGSEGV, leave_fault);
	F = load(module);
	handlers_work();
	in_child(handlers_work_deeper);
	use();
}

static void pipe_ignored_child(void)
{
	start_and_use();
	write_to_nobody();
	use();
}

static void pipe_ignored(void)
{
	signal(SIGPIPE, SIG_IGN);
	F = load(module);
	in_child(pipe_ignored_child);
	pipe_ignored_child();
}

static void pipe_default(void)
{
	int status = 0;
	F = load(module);
	start_and_use();
	pid_t child = fork();
	if (child == 0) {
		alarm(30);
		start_and_use();
		write_to_nobody();
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

static const struct scenario scenarios[] = {
	{"handler-before-module", handler_before_module},
	{"handler-after-module", handler_after_module},
	{"host-handlers", host_handlers},
	{"pipe-ignored", pipe_ignored},
	{"pipe-default", pipe_default},
};

int main(int argc, char **argv) { return RUN_BARE(argc, argv, scenarios); }
