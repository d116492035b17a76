/* SPDX-License-Identifier: Apache-2.0 */

/* cancel MODULE SCENARIO [TYPE ROUNDS [shielded]]: threads are cancelled in calls, with the type deferred or asynchronous.
   A host that is shielded allows it between calls only, as the library should. */
#include "guest.h"

static int type, rounds, shielded;
static char **arguments;
static CK_SESSION_HANDLE victim; /* session of the thread that is cancelled, which may leave it amid an operation */

/* ---- what a thread does until it is cancelled ---------------------------------------------------------- */

static void log_in_and_out(CK_SESSION_HANDLE h)
{
	MUST(log_in(h));
	MUST(F->C_Logout(h));
}

static void make(CK_SESSION_HANDLE h) { MUST(make_pair(h)); }
static void sign(CK_SESSION_HANDLE h) { MUST(sign_often(h, 10)); }

static void wait_for_event(CK_SESSION_HANDLE h UNUSED)
{
	CK_SLOT_ID slot;
	EXPECT(F->C_WaitForSlotEvent(0, &slot, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

/* Never returns. */
static void *repeat(void *call)
{
	CHECK(pthread_setcanceltype(type, NULL) == 0);
	for (;;) {
		if (shielded)
			pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
		((void (*)(CK_SESSION_HANDLE))call)(victim);
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
		pthread_testcancel();
	}
}

/* ---- what goes on after that ------------------------------------------------------------------------------ */

static void *use_freshly(void *unused)
{
	CK_SESSION_HANDLE h;
	MUST(open_session(&h));
	CK_RV rv = log_in(h);
	CHECK(rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN);
	MUST(sign_often(h, 1));
	MUST(make_pair(h));
	if (rv == CKR_OK)
		MUST(F->C_Logout(h));
	MUST(F->C_CloseSession(h));
	return unused;
}

/* Another process begins anew, with this program. */
static void use_in_process(void)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		alarm(30);
		execl("/proc/self/exe", arguments[0], module, "use", NULL);
		_exit(9);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void use(void)
{
	MUST(initialize());
	use_freshly(NULL);
	MUST(F->C_Finalize(NULL));
}

/* ---- cancelling ------------------------------------------------------------------------------------------- */

/* Cancels a thread after some while, and returns it. */
static pthread_t cancelled_in(void (*call)(CK_SESSION_HANDLE), int after)
{
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, repeat, (void *)call) == 0);
	usleep(after);
	CHECK(pthread_cancel(thread) == 0);
	return thread;
}

static void go_on(void)
{
	pthread_t other;
	CHECK(pthread_create(&other, NULL, use_freshly, NULL) == 0);
	CHECK(joined(other, 20, NULL));
}

static void cancel(void (*call)(CK_SESSION_HANDLE), int logged_in)
{
	CK_SESSION_HANDLE h;
	MUST(initialize());
	MUST(open_session(&h));
	for (int i = 0; i < rounds; i++) {
		MUST(open_session(&victim));
		if (logged_in)
			MUST(log_in(victim));
		CHECK(joined(cancelled_in(call, 3000 + 1700 * i % 40000), 20, NULL));
		CK_RV rv = F->C_Logout(victim);
		CHECK(rv == CKR_OK || rv == CKR_USER_NOT_LOGGED_IN);
		MUST(F->C_CloseSession(victim));
		go_on();
	}
	use_in_process();
	MUST(F->C_Finalize(NULL));
}

static void cancel_login(void) { cancel(log_in_and_out, 0); }
static void cancel_make(void) { cancel(make, 1); }
static void cancel_sign(void) { cancel(sign, 1); }

/* A call that waits may go on to wait, but keeps nobody from anything. */
static void cancel_wait(void)
{
	MUST(initialize());
	MUST(open_session(&victim));
	pthread_t thread = cancelled_in(wait_for_event, 200000);
	go_on();
	use_in_process();
	MUST(F->C_Finalize(NULL));
	CHECK(joined(thread, 20, NULL));
	use();
}

/* ---- a thread's own choice stays what it is ---------------------------------------------------------------- */

static void keep_choice(int state, int kind)
{
	int old;
	CHECK(pthread_setcancelstate(state, NULL) == 0 && pthread_setcanceltype(kind, NULL) == 0);
	MUST(use_all());
	CHECK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old) == 0 && old == state);
	CHECK(pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &old) == 0 && old == kind);
}

static void choice(void)
{
	MUST(initialize());
	keep_choice(PTHREAD_CANCEL_ENABLE, PTHREAD_CANCEL_DEFERRED);
	keep_choice(PTHREAD_CANCEL_ENABLE, PTHREAD_CANCEL_ASYNCHRONOUS);
	keep_choice(PTHREAD_CANCEL_DISABLE, PTHREAD_CANCEL_DEFERRED);
	keep_choice(PTHREAD_CANCEL_DISABLE, PTHREAD_CANCEL_ASYNCHRONOUS);
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {
		{"login", cancel_login}, {"make", cancel_make}, {"sign", cancel_sign}, {"wait", cancel_wait}, {"choice", choice}, {"use", use},
	};
	CHECK(argc == 3 || argc >= 5);
	arguments = argv;
	shielded = argc == 6;
	type = argc >= 5 && strcmp(argv[3], "asynchronous") == 0 ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED;
	rounds = argc >= 5 ? atoi(argv[4]) : 0;
	return RUN_ONE(argc, argv, all);
}
