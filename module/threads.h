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
	ZK_SPARE_THREADS = 2,     /* that stay ready */
};

/* How many processors the runtime is to use. */
int zk_processors(void);

/* Makes threads until so many are ready. On failure none is, and errno says why. */
int zk_ready_threads(int wanted);

/* Gives up the threads that are ready, but for those to keep. */
void zk_dismiss_threads(int keep);

/* In a forked child, which has none of its parent's threads. */
void zk_forget_threads(void);

#endif
