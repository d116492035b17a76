/* SPDX-License-Identifier: Apache-2.0 */
#include "threads.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* A thread that waits for something to run. */
typedef struct spare {
	pthread_t thread;
	pthread_cond_t called;
	void *(*run)(void *); /* NULL until it is called; leave dismisses it */
	void *argument;
	struct spare *next;
} spare;

struct zk_pool {
	pthread_mutex_t lock;
	spare *ready;
	int count;
};

static zk_pool own = {.lock = PTHREAD_MUTEX_INITIALIZER};
static zk_pool *pool = &own;

static int children_need_threads;

/*
 * What pthread_create is when the linker's option --wrap=pthread_create makes the calls of
 * the whole library go to the function below. A plain go build has no such option.
 */
extern int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) __attribute__((weak));

int zk_processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : ZK_MOST_PROCESSORS;
	if (n < ZK_FEWEST_PROCESSORS)
		return ZK_FEWEST_PROCESSORS;
	return n < ZK_MOST_PROCESSORS ? n : ZK_MOST_PROCESSORS;
}

int zk_threads_to_start(void) { return zk_processors() + ZK_OTHER_THREADS + ZK_SPARE_THREADS; }

static void *leave(void *argument) { return argument; }

/*
 * Threads have the scheduling of the one that makes them. The runtime's are not to have that
 * of real time: they look for work by turning round, and keep the host's from running.
 */
static void leave_real_time(void)
{
	const struct sched_param none = {0};
	int policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		sched_setscheduler(0, SCHED_OTHER, &none);
}

static void *wait_for_call(void *argument)
{
	spare *self = argument;
	leave_real_time();
	pthread_mutex_lock(&pool->lock);
	while (!self->run)
		pthread_cond_wait(&self->called, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	void *(*run)(void *) = self->run;
	void *what = self->argument;
	pthread_cond_destroy(&self->called);
	free(self);
	return run(what);
}

/* Makes a thread that waits, with every signal blocked; with the lock held. */
static int add_spare(void)
{
	spare *s = calloc(1, sizeof *s);
	if (!s)
		return ENOMEM;
	pthread_cond_init(&s->called, NULL);
	pthread_attr_t detached;
	sigset_t all, before;
	sigfillset(&all);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = __real_pthread_create(&s->thread, &detached, wait_for_call, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&detached);
	if (error) {
		pthread_cond_destroy(&s->called);
		free(s);
		return error;
	}
	s->next = pool->ready;
	pool->ready = s;
	pool->count++;
	return 0;
}

/* Has a spare thread run something; with the lock held. */
static int call_spare(pthread_t *thread, void *(*run)(void *), void *argument)
{
	spare *s = pool->ready;
	if (!s)
		return EAGAIN;
	pool->ready = s->next;
	pool->count--;
	*thread = s->thread;
	s->argument = argument;
	s->run = run;
	pthread_cond_signal(&s->called);
	return 0;
}

int zk_ready_threads(int wanted)
{
	if (!__real_pthread_create)
		return 0; /* a plain build, whose runtime has made its threads at dlopen */
	pthread_mutex_lock(&pool->lock);
	int error = 0;
	while (pool->count < wanted && !error)
		error = add_spare();
	pthread_mutex_unlock(&pool->lock);
	if (!error)
		return 0;
	zk_dismiss_threads(0);
	errno = error;
	return -1;
}

void zk_dismiss_threads(int keep)
{
	pthread_t thread;
	pthread_mutex_lock(&pool->lock);
	while (pool->count > keep)
		call_spare(&thread, leave, NULL);
	pthread_mutex_unlock(&pool->lock);
}

void zk_forget_threads(void)
{
	if (pool != &own)
		return; /* they are those of the image that loaded this copy, which forgets them itself */
	pthread_mutex_init(&own.lock, NULL);
	own.ready = NULL; /* their memory is lost, once a child, for they may have been in the middle of anything */
	own.count = 0;
}

void zk_ready_children(void) { children_need_threads = 1; }

void zk_ready_child(void)
{
	if (children_need_threads)
		zk_ready_threads(zk_threads_to_start() + 2); /* two may load the copy; if that fails, the first call says so */
}

zk_pool *zk_threads(void) { return pool; }

void zk_share_threads(zk_pool *shared) { pool = shared; }

/* The runtime joins none of its threads. */
static int is_detached(const pthread_attr_t *attributes)
{
	int state = PTHREAD_CREATE_JOINABLE;
	if (attributes)
		pthread_attr_getdetachstate(attributes, &state);
	return state == PTHREAD_CREATE_DETACHED;
}

/*
 * The runtime's way to a thread. While the process may make no more, a call that wants one
 * waits: the runtime would end the process.
 */
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
	const struct timespec a_moment = {.tv_nsec = 10000000};
	if (!is_detached(attributes))
		return __real_pthread_create(thread, attributes, run, argument);
	for (;;) {
		pthread_mutex_lock(&pool->lock);
		int error = call_spare(thread, run, argument);
		while (!error && pool->count < ZK_SPARE_THREADS && add_spare() == 0)
			;
		pthread_mutex_unlock(&pool->lock);
		if (error)
			error = __real_pthread_create(thread, attributes, run, argument);
		if (error != EAGAIN)
			return error;
		nanosleep(&a_moment, NULL);
	}
}
