/* SPDX-License-Identifier: Apache-2.0 */

/* latency MODULE SCENARIO: signals that arrive while a call lasts are handled meanwhile. Prints how late. */
#include "guest.h"

#include <semaphore.h>

enum { PAUSE = 40000, MOST = 1000 };

static sem_t handled;
static volatile double handled_at;
static volatile int calling, over;
static double late[MOST];
static int count;

static void handler(int unused UNUSED)
{
	int error = errno;
	CHECK(of_host);
	handled_at = seconds();
	sem_post(&handled);
	errno = error;
}

static void change_mask(int how)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGALRM);
	CHECK(pthread_sigmask(how, &s, NULL) == 0);
}

/* Sends a signal to the process every now and then, while main is in the call. */
static void *interrupt(void *unused)
{
	while (!over && count < MOST) {
		usleep(PAUSE);
		if (!calling)
			continue;
		double sent = seconds();
		CHECK(kill(getpid(), SIGALRM) == 0);
		while (sem_wait(&handled) != 0) {
		}
		late[count++] = handled_at - sent;
	}
	return unused;
}

static int compare(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;
	return (d > 0) - (d < 0);
}

/* A machine under load may be late for itself: half of the signals count. */
static void judge(const char *what, CK_RV rv, double took)
{
	qsort(late, count, sizeof *late, compare);
	printf("%s: 0x%lx after %.2f s; %d signals, handled after %.2f ms (median), %.2f ms (worst)\n", what, rv, took, count,
		count ? late[count / 2] * 1e3 : 0, count ? late[count - 1] * 1e3 : 0);
	CHECK(count > 0 && late[count / 2] <= 0.1);
}

static CK_RV interrupted(CK_RV (*call)(void))
{
	struct sigaction a = {.sa_handler = handler};
	pthread_t thread;
	CHECK(sem_init(&handled, 0, 0) == 0 && sigaction(SIGALRM, &a, NULL) == 0);
	change_mask(SIG_BLOCK);
	CHECK(pthread_create(&thread, NULL, interrupt, NULL) == 0);
	change_mask(SIG_UNBLOCK);
	calling = 1;
	CK_RV rv = call();
	calling = 0;
	over = 1;
	pthread_join(thread, NULL);
	return rv;
}

/* Runs the call and tells how late the signals were that came in it. */
static CK_RV measure(const char *what, CK_RV (*call)(void))
{
	double start = seconds();
	CK_RV rv = interrupted(call);
	judge(what, rv, seconds() - start);
	return rv;
}

/* ---- calls that last ----------------------------------------------------------------------------------- */

static CK_SESSION_HANDLE h;
static CK_OBJECT_HANDLE key;

static void start(void)
{
	MUST(initialize());
	MUST(open_session(&h));
}

/* Ends a call that would wait for long. */
static void *finalize_soon(void *unused)
{
	sleep(1);
	MUST(F->C_Finalize(NULL));
	return unused;
}

static CK_RV until_finalized(CK_RV (*call)(void))
{
	pthread_t thread;
	change_mask(SIG_BLOCK);
	CHECK(pthread_create(&thread, NULL, finalize_soon, NULL) == 0);
	change_mask(SIG_UNBLOCK);
	CK_RV rv = call();
	pthread_join(thread, NULL);
	return rv;
}

static CK_RV wait_for_event(void)
{
	CK_SLOT_ID slot;
	return F->C_WaitForSlotEvent(0, &slot, NULL);
}

static CK_RV wait_until_finalized(void) { return until_finalized(wait_for_event); }

static void event(void)
{
	start();
	EXPECT(measure("C_WaitForSlotEvent", wait_until_finalized), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static CK_RV log_in_and_out(void)
{
	for (int i = 0; i < 20 || (count == 0 && i < 1000); i++) { /* until a signal came in one */
		TRY(log_in(h));
		TRY(F->C_Logout(h));
	}
	return CKR_OK;
}

static void logins(void)
{
	start();
	MUST(measure("C_Login", log_in_and_out));
}

static CK_RV sign_once(void)
{
	CK_BYTE signature[64];
	return try_sign(F, h, key, signature);
}

static void slow(void)
{
	start();
	MUST(log_in(h));
	MUST(find_half(h, CKO_PRIVATE_KEY, &key));
	MUST(measure("C_Sign", sign_once));
}

static CK_RV open_once(void) { return F->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &h); }
static CK_RV open_until_finalized(void) { return until_finalized(open_once); }

static void boots(void)
{
	MUST(initialize());
	EXPECT(measure("C_OpenSession", open_until_finalized), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static CK_RV make_once(void) { return make_pair(h); }

/* Asks on its standard output that the files be locked, and goes on when its standard input says so. */
static void locked(void)
{
	char c;
	start();
	MUST(log_in(h));
	printf("lock\n");
	fflush(stdout);
	CHECK(read(0, &c, 1) == 1);
	CHECK(measure("C_GenerateKeyPair", make_once) != CKR_OK);
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"event", event}, {"logins", logins}, {"slow", slow}, {"boots", boots}, {"locked", locked}};
	CHECK(argc == 3);
	this_is_host();
	return RUN_ONE(argc, argv, all);
}
