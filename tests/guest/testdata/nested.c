/* SPDX-License-Identifier: Apache-2.0 */

/* nested MODULE SCENARIO: a handler of the host calls the library, or ends the process, in the middle of a call. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/time.h>

#include "guest.h"

static CK_SESSION_HANDLE h;
static CK_OBJECT_HANDLE key;
static volatile sig_atomic_t calls, refused;

static void ring_soon(void)
{
	struct itimerval soon = {{0, 0}, {0, 200000}};
	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
}

static void handle_with(void (*handler)(int))
{
	struct sigaction a = {.sa_handler = handler};
	CHECK(sigaction(SIGALRM, &a, NULL) == 0);
}

static void start(void)
{
	MUST(initialize());
	MUST(open_session(&h));
	MUST(log_in(h));
	key = half(F, h, CKO_PRIVATE_KEY);
}

/* The interrupted call has the session: this one must not wait for it. */
static void call(UNUSED int number)
{
	CK_SESSION_INFO info;
	CK_BYTE signature[64];
	calls++;
	refused += try_sign(F, h, key, signature) == CKR_FUNCTION_FAILED;
	refused += F->C_GetSessionInfo(h, &info) == CKR_FUNCTION_FAILED;
	refused += F->C_Finalize(NULL) == CKR_FUNCTION_FAILED;
}

/* The soft SCM takes a second for a signature here. */
static void calls_in_signature(void)
{
	CK_BYTE signature[64];
	start();
	handle_with(call);
	ring_soon();
	MUST(try_sign(F, h, key, signature));
	CHECK(calls == 1 && refused == 3);
	MUST(try_sign(F, h, key, signature)); /* all goes on */
	MUST(F->C_Finalize(NULL));
}

static void finalize(void) { F->C_Finalize(NULL); }

static void end(UNUSED int number) { exit(0); }

/* Ends the process in the middle of a signature, by a handler that has C_Finalize called. */
static void exit_in_signature(void)
{
	CK_BYTE signature[64];
	start();
	CHECK(atexit(finalize) == 0);
	handle_with(end);
	ring_soon();
	try_sign(F, h, key, signature);
	CHECK(0);
}

/* The same in a call that waits for an event. C_Finalize ends it. */
static void exit_in_wait(void)
{
	CK_SLOT_ID slot;
	start();
	CHECK(atexit(finalize) == 0);
	handle_with(end);
	ring_soon();
	F->C_WaitForSlotEvent(0, &slot, NULL);
	CHECK(0);
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"calls", calls_in_signature}, {"exit", exit_in_signature}, {"exit-waiting", exit_in_wait}};
	return RUN_ONE(argc, argv, all);
}
