/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <unistd.h>

#include "../internal/fresh/locks.h"
#include "copy.h"
#include "fork.h"

/*
 * zk_suspect = forked + the forks that are under way. While one is, handlers of
 * the host may run in the child before ours and call us; so the process is
 * compared with the owner of the state below then.
 */
int zk_suspect;

static int forked;  /* this image was loaded by another process */
static int early;   /* a call noticed the fork before our handler ran */
static pid_t owner; /* process whose state this is */

static struct {
	pthread_mutex_t lock;
	enum { CLOSED, ASKED, OPEN, FAILED } state; /* ASKED: initialised, copy not used yet */
	CK_FUNCTION_LIST_3_2 *copy;                 /* functions of the copy, once it is loaded */
	CK_FUNCTION_LIST_3_2 *open;                 /* the same, while state is OPEN */
} child = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Makes the state that of this process, which is a child that starts afresh. */
static void settle(void)
{
	close_lock_files();
	forked = 1;
	owner = getpid();
	pthread_mutex_init(&child.lock, NULL);
	child.state = CLOSED;
	child.copy = NULL; /* a copy that the parent had is as dead as this image */
	child.open = NULL;
	__atomic_store_n(&zk_suspect, 1, __ATOMIC_RELAXED);
}

static void before_fork(void)
{
	__atomic_add_fetch(&zk_suspect, 1, __ATOMIC_SEQ_CST);
}

static void after_fork_in_parent(void)
{
	__atomic_sub_fetch(&zk_suspect, 1, __ATOMIC_SEQ_CST);
}

static void after_fork_in_child(void)
{
	if (!early)
		settle();
	early = 0;
}

__attribute__((constructor)) static void watch_forks(void)
{
	owner = getpid();
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

int zk_away(void)
{
	if (__atomic_load_n(&zk_suspect, __ATOMIC_RELAXED) != forked && getpid() != owner) {
		settle();
		early = 1;
	}
	return forked;
}

/* Brings the copy up; with the lock held. */
static CK_RV open_copy(void)
{
	CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
	if (!child.copy)
		child.copy = zk_load_copy();
	return child.copy ? child.copy->C_Initialize(&arguments) : CKR_GENERAL_ERROR;
}

/* What the first call after C_Initialize finds; with the lock held. */
static CK_RV ready(void)
{
	if (child.state == CLOSED)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (child.state == ASKED) {
		child.state = open_copy() == CKR_OK ? OPEN : FAILED;
		if (child.state == OPEN)
			__atomic_store_n(&child.open, child.copy, __ATOMIC_RELEASE);
	}
	return child.state == OPEN ? CKR_OK : CKR_GENERAL_ERROR;
}

zk_route zk_detour(void)
{
	zk_route route = {CKR_OK, NULL};
	if (!zk_away())
		return route;
	route.functions = __atomic_load_n(&child.open, __ATOMIC_ACQUIRE);
	if (route.functions)
		return route;
	pthread_mutex_lock(&child.lock);
	route.rv = ready();
	route.functions = child.open;
	pthread_mutex_unlock(&child.lock);
	return route;
}

/*
 * Hosts call C_Initialize from their own fork handlers, where dlopen would
 * deadlock: it is noted here, and the next call loads the copy.
 */
CK_RV zk_child_initialize(void)
{
	CK_RV rv = CKR_CRYPTOKI_ALREADY_INITIALIZED;
	pthread_mutex_lock(&child.lock);
	if (child.state == CLOSED) {
		child.state = ASKED;
		rv = CKR_OK;
	}
	pthread_mutex_unlock(&child.lock);
	return rv;
}

CK_RV zk_child_finalize(void)
{
	CK_RV rv = CKR_OK;
	pthread_mutex_lock(&child.lock);
	if (child.state == CLOSED)
		rv = CKR_CRYPTOKI_NOT_INITIALIZED;
	__atomic_store_n(&child.open, NULL, __ATOMIC_RELEASE);
	if (child.state == OPEN)
		rv = child.copy->C_Finalize(NULL);
	child.state = CLOSED;
	pthread_mutex_unlock(&child.lock);
	return rv;
}

CK_RV zk_check_arguments(const CK_C_INITIALIZE_ARGS *a)
{
	if (!a)
		return CKR_OK;
	int callbacks = !!a->CreateMutex + !!a->DestroyMutex + !!a->LockMutex + !!a->UnlockMutex;
	if (a->pReserved || (callbacks != 0 && callbacks != 4))
		return CKR_ARGUMENTS_BAD;
	if (a->flags & CKF_OS_LOCKING_OK)
		return CKR_OK; /* GnuTLS and NSS, which have threads, forbid the library to make any: not heeded */
	if (a->flags & CKF_LIBRARY_CANT_CREATE_OS_THREADS)
		return CKR_NEED_TO_CREATE_THREADS; /* the Go runtime makes threads */
	if (callbacks)
		return CKR_CANT_LOCK; /* Go locks by its own means only */
	return CKR_OK;
}

void zk_lock_opened(int fd) { note_lock_file(fd); }
void zk_lock_closes(int fd) { forget_lock_file(fd); }
