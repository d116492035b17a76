/* SPDX-License-Identifier: Apache-2.0 */

/* What hosts share that run with SoftHSM2, too, as a control: its slots have numbers of its own. */
#ifndef GUEST_H
#define GUEST_H

#include "host.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#define TRY(CALL) \
	do { \
		CK_RV got_ = (CALL); \
		if (got_ != CKR_OK) \
			return got_; \
	} while (0)

/* ---- threads and their stacks ----------------------------------------------------------------------- */

/* A thread of the host says so. Those that the library makes have 0 here. */
static __thread int of_host;
static __thread uintptr_t stack_low, stack_high;

UNUSED static void this_is_host(void)
{
	pthread_attr_t a;
	void *low;
	size_t n;
	CHECK(pthread_getattr_np(pthread_self(), &a) == 0 && pthread_attr_getstack(&a, &low, &n) == 0);
	pthread_attr_destroy(&a);
	stack_low = (uintptr_t)low;
	stack_high = stack_low + n;
	of_host = 1;
}

UNUSED static int on_own_stack(const void *p) { return (uintptr_t)p >= stack_low && (uintptr_t)p < stack_high; }

/* Gives the thread an alternate stack, which is its own for handlers from now on. Nobody gives it back. */
UNUSED static void move_handlers(size_t n)
{
	stack_t own = {.ss_sp = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), .ss_size = n};
	CHECK(own.ss_sp != MAP_FAILED && sigaltstack(&own, NULL) == 0);
	stack_low = (uintptr_t)own.ss_sp;
	stack_high = stack_low + n;
}

UNUSED static pid_t thread_id(void) { return syscall(SYS_gettid); }

UNUSED static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Joins a thread that ends within so many seconds. */
UNUSED static int joined(pthread_t thread, int within, void **result)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += within;
	return pthread_timedjoin_np(thread, result, &end) == 0;
}

/* ---- a user's work, step by step --------------------------------------------------------------------- */

UNUSED static CK_RV initialize(void)
{
	CK_C_INITIALIZE_ARGS a = {.flags = CKF_OS_LOCKING_OK};
	return F->C_Initialize(&a);
}

UNUSED static CK_RV find_slot(CK_SLOT_ID *slot)
{
	CK_SLOT_ID all[8];
	CK_TOKEN_INFO info;
	CK_ULONG n = 8;
	TRY(F->C_GetSlotList(CK_TRUE, all, &n));
	for (CK_ULONG i = 0; i < n; i++) {
		TRY(F->C_GetTokenInfo(all[i], &info));
		*slot = all[i];
		if (info.flags & CKF_TOKEN_INITIALIZED)
			return CKR_OK;
	}
	return CKR_TOKEN_NOT_PRESENT;
}

UNUSED static CK_RV open_session(CK_SESSION_HANDLE *h)
{
	CK_SLOT_ID slot;
	TRY(find_slot(&slot));
	return F->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, h);
}

UNUSED static CK_RV log_in(CK_SESSION_HANDLE h)
{
	char *pin = getenv("ZK_TEST_PIN");
	CHECK(pin != NULL);
	return F->C_Login(h, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
}

UNUSED static CK_RV find_half(CK_SESSION_HANDLE h, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *object)
{
	CK_BYTE id = 0;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, &id, 1}};
	CK_ULONG n = 0;
	TRY(F->C_FindObjectsInit(h, t, 2));
	CK_RV rv = F->C_FindObjects(h, object, 1, &n);
	TRY(F->C_FindObjectsFinal(h));
	return rv != CKR_OK || n == 1 ? rv : CKR_OBJECT_HANDLE_INVALID;
}

/* Generates a key pair and destroys it. */
UNUSED static CK_RV make_pair(CK_SESSION_HANDLE h)
{
	static CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}, id[] = {0xa1, 0};
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, 1}, {CKA_ID, id, 2}, {CKA_EC_PARAMS, p256, sizeof p256}};
	CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, 1}, {CKA_ID, id, 2}};
	CK_MECHANISM m = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_OBJECT_HANDLE a, b;
	TRY(F->C_GenerateKeyPair(h, &m, public, 3, private, 2, &a, &b));
	TRY(F->C_DestroyObject(h, b));
	CK_RV rv = F->C_DestroyObject(h, a);
	return rv == CKR_OBJECT_HANDLE_INVALID ? CKR_OK : rv; /* it may go with its other half */
}

UNUSED static CK_RV sign_often(CK_SESSION_HANDLE h, int times)
{
	CK_OBJECT_HANDLE key;
	CK_BYTE signature[64];
	TRY(find_half(h, CKO_PRIVATE_KEY, &key));
	for (int i = 0; i < times; i++)
		TRY(try_sign(F, h, key, signature));
	return CKR_OK;
}

/* All of a user's work, in a session of its own. */
UNUSED static CK_RV use_all(void)
{
	CK_SESSION_HANDLE h;
	TRY(open_session(&h));
	CK_RV rv = log_in(h);
	if (rv != CKR_USER_ALREADY_LOGGED_IN)
		TRY(rv);
	TRY(sign_often(h, 20));
	TRY(make_pair(h));
	return F->C_CloseSession(h);
}

UNUSED static void *use_in_thread(void *unused)
{
	this_is_host();
	MUST(use_all());
	return unused;
}

/* Uses the library in four threads at once, so that it makes all the threads that it wants. */
UNUSED static void use_in_crowd(void)
{
	enum { CROWD = 4 };
	pthread_t crowd[CROWD];
	for (int i = 0; i < CROWD; i++)
		CHECK(pthread_create(&crowd[i], NULL, use_in_thread, NULL) == 0);
	for (int i = 0; i < CROWD; i++)
		CHECK(pthread_join(crowd[i], NULL) == 0);
}

/* ---- how far a host has come ------------------------------------------------------------------------ */

static void (*what_follows)(void);

UNUSED static void start_use(void)
{
	CK_SESSION_HANDLE h;
	CK_RV rv = initialize();
	CHECK(rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED); /* SoftHSM2 goes on in a child */
	MUST(open_session(&h)); /* keeps the login */
	use_in_crowd();
}

UNUSED static void follow_in_child(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	start_use();
	what_follows();
}

/* Goes on when the library is "loaded", when it was "called", or when it was called in a "child", too. */
UNUSED static void reach(const char *when, void (*body)(void))
{
	F = load(module);
	if (strcmp(when, "loaded") == 0) {
		usleep(300000); /* a runtime that starts by itself has its threads then */
		body();
		return;
	}
	start_use();
	what_follows = body;
	if (strcmp(when, "child") == 0)
		in_child(follow_in_child);
	else
		body();
}

#endif
