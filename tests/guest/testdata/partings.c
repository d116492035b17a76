/* SPDX-License-Identifier: Apache-2.0 */

/* partings MODULE SCENARIO: calls at the end of a thread, and the end of the process by a handler in a call. */
#include "guest.h"

#include <sys/time.h>

enum { CROWD = 8, ROUNDS = 10, CALLS = 20 };

static CK_SESSION_HANDLE shared_session;
static pthread_key_t key;
static pthread_barrier_t all_have_called;

/* Runs when the runtime has taken leave of the thread already. */
static void call_at_the_end(void *own)
{
	CK_SESSION_INFO info, *nowhere = (CK_SESSION_INFO *)8192;
	stack_t now;
	sigset_t mask;
	CHECK(sigaltstack(NULL, &now) == 0 && now.ss_sp == own);
	CHECK(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0 && !sigismember(&mask, SIGALRM));
	for (int i = 0; i < CALLS; i++) {
		MUST(F->C_GetSessionInfo(shared_session, &info));
		CHECK(F->C_GetSessionInfo(shared_session, nowhere) != CKR_OK);
	}
	CHECK(sigaltstack(NULL, &now) == 0 && now.ss_sp == own);
}

static void *call_and_end(void *unused)
{
	CK_SESSION_INFO info;
	move_handlers(SIGSTKSZ);
	MUST(F->C_GetSessionInfo(shared_session, &info));
	CHECK(pthread_setspecific(key, (void *)stack_low) == 0);
	pthread_barrier_wait(&all_have_called);
	return unused;
}

static void end_threads(void)
{
	pthread_t crowd[CROWD];
	MUST(initialize());
	MUST(open_session(&shared_session));
	CHECK(pthread_key_create(&key, call_at_the_end) == 0); /* after the runtime's */
	CHECK(pthread_barrier_init(&all_have_called, NULL, CROWD) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CROWD; i++)
			CHECK(pthread_create(&crowd[i], NULL, call_and_end, NULL) == 0);
		for (int i = 0; i < CROWD; i++)
			CHECK(pthread_join(crowd[i], NULL) == 0);
	}
}

static void finalize(void) { F->C_Finalize(NULL); }
static void leave(int unused UNUSED) { exit(0); }

/* The first call starts the runtime: the signal comes meanwhile. */
static void end_in_first_call(void)
{
	struct sigaction a = {.sa_handler = leave};
	struct itimerval soon = {.it_value = {.tv_usec = 3000}};
	CK_SLOT_ID slot;
	MUST(initialize());
	CHECK(atexit(finalize) == 0 && sigaction(SIGALRM, &a, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	MUST(find_slot(&slot));
	pause();
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	F = load(argv[1]);
	if (strcmp(argv[2], "threads") == 0)
		end_threads();
	else
		end_in_first_call();
	return 0;
}
