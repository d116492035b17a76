/* SPDX-License-Identifier: Apache-2.0 */

/*
 * haproxy MODULE SCENARIO UID: what haproxy does, in its order. The master reads the key as root. The worker gives up
 * its rights, makes its threads, and then allows no more threads and processes. It uses the key after that.
 */
#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "host.h"

enum { THREADS = 4, SIGNATURES = 200 };

static uid_t worker;
static pthread_barrier_t ready;

static void give_up_rights(void)
{
	if (geteuid() != 0)
		return; /* it has none */
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setgid(worker) == 0 && setuid(worker) == 0);
}

static void *nothing(void *unused)
{
	return unused;
}

/* Each thread of haproxy does this, after all have started. */
static void allow_no_more_threads(void)
{
	struct rlimit none = {0, 0};
	pthread_t another;
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(setrlimit(RLIMIT_NPROC, &none) == 0);
	CHECK(pthread_create(&another, NULL, nothing, NULL) == EAGAIN);
}

static void sign_often(CK_SESSION_HANDLE h)
{
	CK_BYTE signature[64];
	CK_OBJECT_HANDLE key = half(F, h, CKO_PRIVATE_KEY);
	for (int i = 0; i < SIGNATURES; i++)
		MUST(try_sign(F, h, key, signature));
}

static void *serve(void *unused)
{
	pthread_barrier_wait(&ready);
	CK_SESSION_HANDLE h = session(F);
	sign_often(h);
	MUST(F->C_CloseSession(h));
	return unused;
}

static void read_key(void)
{
	MUST(F->C_Initialize(NULL));
	work(F);
}

static CK_RV log_in(void)
{
	CK_SESSION_HANDLE h;
	char *pin = getenv("ZK_TEST_PIN");
	CK_RV rv = F->C_Initialize(NULL);
	if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
		rv = CKR_OK;
	if (rv == CKR_OK)
		rv = F->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &h);
	return rv != CKR_OK ? rv : F->C_Login(h, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
}

/* As a worker, with its threads and its limit. */
static void work_within_limits(void)
{
	pthread_t threads[THREADS];
	give_up_rights();
	pthread_barrier_init(&ready, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, serve, NULL) == 0);
	allow_no_more_threads();
	MUST(log_in());
	pthread_barrier_wait(&ready);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* haproxy -db: one process. */
static void alone(void)
{
	read_key();
	work_within_limits();
}

/* haproxy -D */
static void background(void)
{
	read_key();
	in_child(work_within_limits);
	work(F);
}

static void have_workers(void)
{
	in_child(work_within_limits);
	in_child(work_within_limits);
}

/* haproxy -W -D: the master is a child, its workers are children of that. */
static void master_and_worker(void)
{
	read_key();
	in_child(have_workers);
	work(F);
}

/* A worker that gets an answer, be it a bad one. */
static void ask(void)
{
	give_up_rights();
	allow_no_more_threads();
	CK_RV rv = log_in();
	CHECK(rv == CKR_HOST_MEMORY || rv == CKR_GENERAL_ERROR);
}

static void refused(void)
{
	read_key();
	in_child(ask);
	work(F);
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {
		{"alone", alone}, {"background", background}, {"master-worker", master_and_worker}, {"refused", refused},
	};
	CHECK(argc == 4);
	worker = atoi(argv[3]);
	return RUN_ONE(argc, argv, all);
}
