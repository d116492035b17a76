/* SPDX-License-Identifier: Apache-2.0 */
#include "crossing.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fork.h"
#include "start.h"

#define BIT(SIGNAL) (UINT64_C(1) << ((SIGNAL) - 1))

/*
 * All but those by which Go learns of a bad pointer; SIGSYS, which sandboxes need for a system
 * call of the thread itself; and the two of the C library (32, 33), by which setuid() in one
 * thread waits for all others, with locks held that others need. abort() unblocks its own.
 */
static const uint64_t fenced = ~(BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGSYS) | BIT(32) | BIT(33));

static __thread zk_crossing *innermost; /* NULL in a thread that is in no call, and in the runtime's own */

/* Without the C library's function, which knows a larger set. */
static void change_mask(int how, const uint64_t *mask, uint64_t *before)
{
	syscall(SYS_rt_sigprocmask, how, mask, before, sizeof *mask);
}

void zk_fence(zk_crossing *c)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &c->cancel);
	change_mask(SIG_BLOCK, &fenced, &c->mask);
	c->waits = c->opens = 0;
	c->outer = innermost;
	innermost = c;
}

void zk_leave(zk_crossing *c)
{
	int error = errno; /* the handlers of signals that waited run here */
	innermost = c->outer;
	change_mask(SIG_SETMASK, &c->mask, NULL);
	pthread_setcancelstate(c->cancel, NULL);
	pthread_testcancel(); /* of a cancellation that waited for the end of the call */
	errno = error;
}

CK_RV zk_enter(zk_crossing *c)
{
	int open = __atomic_load_n(&zk_image->open, __ATOMIC_ACQUIRE);
	c->copy = open == ZK_IN_COPY ? zk_image->copy : NULL;
	if (c->copy)
		return CKR_OK;
	zk_fence(c);
	CK_RV rv = CKR_OK;
	if (zk_interrupts(c))
		rv = CKR_FUNCTION_FAILED;
	else if (open != ZK_HERE)
		rv = zk_route(&c->copy);
	if (rv == CKR_OK && !c->copy)
		rv = zk_meet();
	if (rv != CKR_OK || c->copy)
		zk_leave(c);
	return rv;
}

/* In a child that was made by a handler, what it interrupted is the parent's. */
int zk_interrupts(const zk_crossing *c) { return c->outer && !c->outer->waits && zk_image->mine; }

void zk_lock(pthread_mutex_t *lock)
{
	if (pthread_mutex_trylock(lock) == 0)
		return;
	zk_outside();
	pthread_mutex_lock(lock);
	zk_inside();
}

void zk_set_opens(int opens) { innermost->opens = opens; }

void zk_forget_calls(void)
{
	if (innermost)
		innermost->outer = NULL;
}

void zk_forget_all_calls(void) { innermost = NULL; }

static void futex(uint32_t *word, int operation, uint32_t value)
{
	syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

void zk_outside(void)
{
	if (innermost)
		change_mask(SIG_SETMASK, &innermost->mask, NULL);
}

void zk_inside(void)
{
	if (innermost)
		change_mask(SIG_BLOCK, &fenced, NULL);
}

void zk_wait(zk_errand *errand)
{
	zk_crossing *c = innermost;
	if (c)
		c->waits = !c->opens;
	zk_outside();
	while (!__atomic_load_n(&errand->done, __ATOMIC_ACQUIRE) && zk_image->mine) /* not in a child that a handler has made */
		futex(&errand->done, FUTEX_WAIT_PRIVATE, 0);
	zk_inside();
	if (c)
		c->waits = 0;
}

void zk_done(zk_errand *errand)
{
	__atomic_store_n(&errand->done, 1, __ATOMIC_RELEASE);
	futex(&errand->done, FUTEX_WAKE_PRIVATE, INT_MAX);
}

int zk_pause(uint64_t nanoseconds)
{
	struct timespec left = {nanoseconds / 1000000000, nanoseconds % 1000000000};
	if (!innermost)
		return 0;
	zk_outside();
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
	zk_inside();
	return 1;
}

/*
 * A disk may take seconds to write what SQLite wants written. These stand before the C
 * library's functions where the linker is told so (--wrap), as make does.
 */
extern int __real_fsync(int) __attribute__((weak));
extern int __real_fdatasync(int) __attribute__((weak));

int __wrap_fsync(int fd)
{
	zk_outside();
	int result = __real_fsync(fd);
	zk_inside();
	return result;
}

int __wrap_fdatasync(int fd)
{
	zk_outside();
	int result = __real_fdatasync(fd);
	zk_inside();
	return result;
}
