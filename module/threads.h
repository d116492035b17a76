/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Threads for the Go runtime. It ends the process when it wants a thread and cannot have
 * one; so threads are made ready before it is started, and it takes those.
 */
#ifndef ZK_THREADS_H
#define ZK_THREADS_H

enum {
	ZK_FEWEST_PROCESSORS = 2, /* that the runtime uses: a thread that hands its work to another is not to wait for it long */
	ZK_MOST_PROCESSORS = 8,   /* an SCM has one */
	ZK_OTHER_THREADS = 6,     /* of the runtime: those that it always has, and some that wait for the kernel */
	ZK_SPARE_THREADS = 2,     /* that stay ready */
};

typedef struct zk_pool zk_pool;

/* How many processors the runtime is to use, and how many threads it may want at its start. */
int zk_processors(void);
int zk_threads_to_start(void);

/* Makes threads until so many are ready. On failure none is, and errno says why. */
int zk_ready_threads(int wanted);

/* Gives up the threads that are ready, but for those to keep. */
void zk_dismiss_threads(int keep);

/* In a forked child, which has none of its parent's threads. */
void zk_forget_threads(void);

/* From now on, forked children get the threads of a runtime when they are forked. */
void zk_ready_children(void);
void zk_ready_child(void);

/* The threads that are ready, which a copy of this library in a forked child shares. */
zk_pool *zk_threads(void);
void zk_share_threads(zk_pool *pool);

#endif
