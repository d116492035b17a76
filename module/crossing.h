/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The way of a call from the host into Go and back. A goroutine's stack is small and lies
 * in Go's heap: a handler of the host that ran on it would destroy memory, and a thread
 * that were cancelled on it would leave locks locked. So signals that come from outside
 * wait while the host's thread is in Go, and cancellation is off.
 */
#ifndef ZK_CROSSING_H
#define ZK_CROSSING_H

#include <pthread.h>
#include <signal.h>
#include <stdint.h>

#include "pkcs11.h"

/* A call that is under way, on the stack of the host's thread. */
typedef struct zk_crossing {
	CK_FUNCTION_LIST_3_2 *copy; /* in a forked child: call this instead of Go */
	uint64_t mask;              /* the thread's own signal mask, as the kernel has it */
	int cancel;                 /* its own cancellation state */
	int opens;                  /* it has the lock of zk_route, and brings the library up */
	int waits;                  /* its work is done elsewhere, so that nothing of it is held here */
	struct zk_crossing *outer;  /* a call that a handler of the host has interrupted */
} zk_crossing;

/* Begins a call of a C_* function: signals wait, and the thread is not cancelled. zk_leave ends it. */
void zk_fence(zk_crossing *crossing);
void zk_leave(zk_crossing *crossing);

/*
 * zk_fence, and all that a call into Go needs. Unless the result is CKR_OK, it is the
 * answer to the caller; then, and when crossing->copy is set, the call is not begun.
 */
CK_RV zk_enter(zk_crossing *crossing);

/*
 * Whether the call was made by a handler in the middle of another one, which may hold what
 * it would wait for. Such a call fails: exit(), and what the host has do at its end, goes on.
 */
int zk_interrupts(const zk_crossing *crossing);

/* Whether the call is bringing the library up: a handler that interrupts it is not to wait for that. */
void zk_set_opens(int opens);

/* Locks, in the middle of a call. Where that lasts, signals are let through. */
void zk_lock(pthread_mutex_t *lock);

/* In a forked child: what this thread was in the middle of is its parent's; all, or what is around this call. */
void zk_forget_calls(void);
void zk_forget_all_calls(void);

/* What a goroutine does while the host's thread waits for it. */
typedef struct {
	uint32_t done;
} zk_errand;

/*
 * For C code that Go calls in the middle of a call, on the stack of the thread: signals
 * are let through between zk_outside and zk_inside. In threads of the runtime they do
 * nothing. zk_wait waits so for an errand that zk_done ends, and zk_pause for some
 * nanoseconds; it returns 0 at once in a thread of the runtime.
 */
void zk_outside(void);
void zk_inside(void);
void zk_wait(zk_errand *errand);
void zk_done(zk_errand *errand);
int zk_pause(uint64_t nanoseconds);

#endif
