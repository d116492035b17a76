/* SPDX-License-Identifier: Apache-2.0 */

/* files_pipe MODULE SCENARIO: the module writes where nobody reads any more. No SIGPIPE is left to the host. */
#include "files.h"

#include <signal.h>

/* Blocks SIGPIPE, as hosts do that read their signals, or leaves its default action: to die. */
static void block(void)
{
	sigset_t pipe;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	CHECK(pthread_sigmask(SIG_BLOCK, &pipe, NULL) == 0);
}

static void check_none_pending(void)
{
	sigset_t pending;
	CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE));
}

/* The settings cannot be read, and the log says so, at C_Initialize or at the first call. */
static void fail(int i)
{
	CK_ULONG n = 0;
	char conf[64];
	snprintf(conf, sizeof conf, "/nowhere/%d", i);
	CHECK(setenv("ZK_PKCS11_CONF", conf, 1) == 0);
	CHECK(F->C_Initialize(NULL) != CKR_OK || F->C_GetSlotList(CK_TRUE, NULL, &n) != CKR_OK);
	F->C_Finalize(NULL);
}

static void log_to_nobody(void)
{
	int ends[2];
	char line[16];
	CHECK(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
	close(ends[1]);
	fail(0);
	CHECK(read(ends[0], line, sizeof line) > 0); /* that is how it is logged */
	close(ends[0]);
	for (int i = 1; i < 4; i++) {
		fail(i);
		check_none_pending();
	}
}

static void log_default(void) { log_to_nobody(); }

static void log_blocked(void)
{
	block();
	log_to_nobody();
}

/* The trace goes to a FIFO, whose reader goes away. */
static void trace_to_nobody(void)
{
	char path[4096];
	own_path(path, 0);
	CHECK(mkfifo(path, 0600) == 0 && setenv("ZK_PKCS11_TRACE", path, 1) == 0);
	int reader = open(path, O_RDONLY | O_NONBLOCK);
	CHECK(reader >= 0);
	MUST(F->C_Initialize(NULL));
	MUST(F->C_CloseSession(session(F)));
	char line[16];
	CHECK(read(reader, line, sizeof line) > 0); /* that is how it is traced */
	close(reader);
	work(F);
	check_none_pending();
	MUST(F->C_Finalize(NULL));
	check_none_pending();
}

static void trace_blocked(void)
{
	block();
	trace_to_nobody();
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {
		{"log", log_default}, {"log_blocked", log_blocked}, {"trace", trace_to_nobody}, {"trace_blocked", trace_blocked},
	};
	alarm(60);
	return RUN_ONE(argc, argv, all);
}
