/* SPDX-License-Identifier: Apache-2.0 */

/* Contexts: used after they are closed, closed twice, by threads, and in forked children. */
#include <pthread.h>

#include "check.h"

enum { THREADS = 8, CALLS = 50, CHILDREN = 10 };

static void life(void)
{
	zkCTX ctx = opened(), other = opened();
	CHECK(ctx != other);
	OK(signs(ctx, 0));
	OK(zkClose(ctx));
	EXPECT(signs(ctx, 0), -EBADF);
	EXPECT(zkClose(ctx), -EBADF);
	OK(signs(other, 0));
	OK(zkClose(other));
	EXPECT(zkClose(NULL), -EBADF);
	EXPECT(signs(NULL, 0), -EBADF);
	EXPECT(signs((zkCTX)&ctx, 0), -EBADF);
	EXPECT(zkOpen(NULL), -EINVAL);
	zkCTX later = opened();
	CHECK(later != ctx && later != other);
	OK(zkClose(later));
}

static void *use(void *ctx)
{
	for (int i = 0; i < CALLS; i++)
		OK(signs(ctx, i % 16));
	return NULL;
}

static void threads_in_one_context(void)
{
	zkCTX ctx = opened();
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		OK(pthread_create(&threads[i], NULL, use, ctx));
	for (int i = 0; i < THREADS; i++)
		OK(pthread_join(threads[i], NULL));
	OK(zkClose(ctx));
}

/* Closing beneath others is their loss only. */
static void *use_until_closed(void *ctx)
{
	int rc = 0;
	while (rc == 0)
		rc = signs(ctx, 0);
	CHECK(rc == -EBADF || rc == -ETIMEDOUT);
	return NULL;
}

static void closed_beneath_threads(void)
{
	zkCTX ctx = opened();
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		OK(pthread_create(&threads[i], NULL, use_until_closed, ctx));
	OK(zkClose(ctx));
	for (int i = 0; i < THREADS; i++)
		OK(pthread_join(threads[i], NULL));
}

static zkCTX closed; /* before any fork */

static void grandchild(zkCTX of_parent)
{
	OK(signs(of_parent, 0));
	zkCTX ctx = opened();
	CHECK(ctx != of_parent);
	use(ctx);
	OK(zkClose(of_parent));
	EXPECT(signs(of_parent, 0), -EBADF);
	OK(signs(ctx, 0));
}

/* A child has what its parent had open, under the same names, and closes it for itself. */
static void child(zkCTX of_parent)
{
	zkCTX ctx = opened();
	CHECK(ctx != of_parent && ctx != closed);
	use(ctx);
	EXPECT(signs(closed, 0), -EBADF);
	EXPECT(zkClose(closed), -EBADF);
	in_child(grandchild, ctx);
	in_child(grandchild, of_parent);
	use(of_parent);
	OK(zkClose(of_parent));
	EXPECT(zkClose(of_parent), -EBADF);
	EXPECT(signs(of_parent, 0), -EBADF);
	OK(signs(ctx, 0));
	OK(zkClose(ctx));
	EXPECT(signs(ctx, 0), -EBADF);
}

static void closes_only(zkCTX of_parent)
{
	OK(zkClose(of_parent));
	EXPECT(zkClose(of_parent), -EBADF);
}

static void forks(void)
{
	zkCTX ctx = opened();
	pthread_t thread;
	closed = opened();
	OK(zkClose(closed));
	OK(pthread_create(&thread, NULL, use, ctx));
	for (int i = 0; i < CHILDREN; i++)
		in_child(child, ctx);
	in_child(closes_only, ctx);
	OK(pthread_join(thread, NULL));
	OK(signs(ctx, 0));
	OK(zkClose(ctx));
}

int main(void)
{
	life();
	threads_in_one_context();
	closed_beneath_threads();
	forks();
	return 0;
}
