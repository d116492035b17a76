/* SPDX-License-Identifier: Apache-2.0 */
#include "fork.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "copy.h"
#include "crossing.h"
#include "estate.h"
#include "probe.h"
#include "start.h"
#include "threads.h"

/* Where zk_image is until there is a page of its own, and for ever where the kernel cannot wipe one. */
static zk_page unwiped;
zk_page *zk_image = &unwiped;

static pid_t owner; /* the process whose state this is */
static int dead;    /* the runtime of this image was started by another process */

/* What stands between C_Initialize and C_Finalize. */
static struct {
	pthread_mutex_t lock;
	enum { CLOSED, ASKED, OPEN, FAILED } state; /* ASKED: initialised, and not used yet */
	CK_FUNCTION_LIST_3_2 *copy;                 /* functions of the copy, once it is loaded */
	int told;                                   /* a line says why it could not be */
	pthread_mutex_t ending;                     /* held until what C_Finalize ends has ended */
} life = {.lock = PTHREAD_MUTEX_INITIALIZER, .ending = PTHREAD_MUTEX_INITIALIZER};

/* In a child, before anything else there: its image is as one that was just loaded, unless its runtime is dead. */
static void settle(void)
{
	zk_close_lock_files();
	zk_forget_threads();
	zk_forget_calls();
	dead = zk_started();
	owner = getpid();
	pthread_mutex_init(&life.lock, NULL);
	pthread_mutex_init(&life.ending, NULL);
	life.state = zk_estate_forked() ? ASKED : CLOSED; /* as if C_Initialize had been called */
	life.copy = NULL; /* a copy that the parent had is as dead as this image */
	life.told = 0;
	zk_image->copy = NULL;
	zk_image->open = ZK_ASK;
	__atomic_store_n(&zk_image->mine, ZK_SETTLED, __ATOMIC_RELEASE);
}

/*
 * Whether a fork has come between. Its handlers do not tell: a child may be made without
 * them, or by another copy of the C library, and handlers of the host may call us before
 * ours. The page tells, which is wiped in every child.
 */
static int is_child(void) { return zk_image == &unwiped ? getpid() != owner : zk_image->mine != ZK_SETTLED; }

/* A child may have made threads before its first call: one of them settles, the others wait for it. */
static void notice_fork(void)
{
	int nobody = 0;
	if (!is_child())
		return;
	if (zk_image == &unwiped || __atomic_compare_exchange_n(&zk_image->mine, &nobody, ZK_SETTLING, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		settle();
	while (__atomic_load_n(&zk_image->mine, __ATOMIC_ACQUIRE) == ZK_SETTLING)
		sched_yield();
}

static void after_fork_in_child(void)
{
	notice_fork();
	zk_forget_all_calls();
	if (dead)
		zk_ready_child();
}

__attribute__((constructor)) static void watch_forks(void)
{
	void *page = mmap(NULL, sizeof *zk_image, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page != MAP_FAILED && madvise(page, sizeof *zk_image, MADV_WIPEONFORK) == 0)
		zk_image = page;
	zk_image->mine = ZK_SETTLED;
	owner = getpid();
	pthread_atfork(NULL, NULL, after_fork_in_child);
}

/* Brings this image up, or a copy of it; with the lock held. What was before has to have ended. */
static CK_RV open_here(void)
{
	CK_RV rv = zk_start();
	if (rv == CKR_OK)
		rv = zk_meet();
	if (rv != CKR_OK)
		return rv;
	zk_lock(&life.ending);
	pthread_mutex_unlock(&life.ending);
	rv = goInitialize();
	if (rv == CKR_OK && zk_claims_fork())
		zk_prepare_copy(); /* in the host's thread, which may have the lock of dlopen */
	life.state = rv == CKR_OK ? OPEN : FAILED;
	if (rv == CKR_OK && zk_image != &unwiped)
		__atomic_store_n(&zk_image->open, ZK_HERE, __ATOMIC_RELEASE);
	return rv;
}

static CK_RV open_copy(void)
{
	CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
	if (!life.copy)
		life.copy = zk_load_copy(life.told);
	life.told = !life.copy;
	CK_RV rv = life.copy ? life.copy->C_Initialize(&arguments) : CKR_GENERAL_ERROR;
	if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) /* by the parent, whose estate it shares */
		return CKR_GENERAL_ERROR;
	life.state = OPEN;
	zk_image->copy = life.copy;
	if (zk_image != &unwiped)
		__atomic_store_n(&zk_image->open, ZK_IN_COPY, __ATOMIC_RELEASE);
	return CKR_OK;
}

/* What a call finds, with the lock held. */
static CK_RV find_route(CK_FUNCTION_LIST_3_2 **copy)
{
	CK_RV rv = CKR_OK;
	if (life.state == CLOSED)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (life.state == ASKED) {
		zk_set_opens(1);
		rv = dead ? open_copy() : open_here();
		zk_set_opens(0);
	} else if (life.state == FAILED) {
		rv = CKR_GENERAL_ERROR;
	}
	*copy = dead ? life.copy : NULL;
	return rv;
}

CK_RV zk_route(CK_FUNCTION_LIST_3_2 **copy)
{
	notice_fork();
	zk_lock(&life.lock);
	CK_RV rv = find_route(copy);
	pthread_mutex_unlock(&life.lock);
	return rv;
}

/*
 * Hosts call C_Initialize from their own fork handlers, where dlopen would deadlock, and
 * programs that load every module of the system call no more than that: it is noted here,
 * and the next call does the work.
 */
CK_RV zk_initialize(void)
{
	CK_RV rv = CKR_CRYPTOKI_ALREADY_INITIALIZED;
	notice_fork();
	zk_lock(&life.lock);
	if (life.state == CLOSED) {
		life.state = ASKED;
		zk_estate_initialize();
		rv = CKR_OK;
	}
	pthread_mutex_unlock(&life.lock);
	return rv;
}

int zk_is_dead(void)
{
	notice_fork();
	return dead;
}

int zk_runs_here(void) { return !is_child() && !dead && zk_started(); }

int zk_is_initialized(void)
{
	notice_fork();
	return __atomic_load_n(&life.state, __ATOMIC_RELAXED) != CLOSED;
}

/* Calls that come while the running ones end find a library that is not initialised. */
CK_RV zk_finalize(CK_FUNCTION_LIST_3_2 **copy)
{
	notice_fork();
	zk_lock(&life.lock);
	int state = life.state;
	life.state = CLOSED;
	__atomic_store_n(&zk_image->open, ZK_ASK, __ATOMIC_RELEASE);
	if (state != CLOSED)
		zk_estate_end(); /* before anything else ends: children are strangers from now on */
	if (state == OPEN)
		zk_lock(&life.ending);
	pthread_mutex_unlock(&life.lock);
	if (state == CLOSED)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (state != OPEN)
		return CKR_OK;
	CK_RV rv = CKR_OK;
	*copy = dead ? life.copy : NULL;
	if (!dead)
		rv = zk_meet();
	if (!dead && rv == CKR_OK)
		rv = goFinalize();
	pthread_mutex_unlock(&life.ending);
	return rv;
}

CK_RV zk_check_arguments(const CK_C_INITIALIZE_ARGS *a)
{
	if (!a)
		return CKR_OK;
	if (!zk_readable(a, sizeof *a))
		return CKR_ARGUMENTS_BAD;
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
