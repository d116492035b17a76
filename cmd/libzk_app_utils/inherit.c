/* SPDX-License-Identifier: Apache-2.0 */
#include "fork.h"

#include <errno.h>
#include <stdlib.h>

/* An open context. */
struct context {
	struct context *next;
	zkCTX name; /* by which the caller knows it */
	zkCTX own;  /* its name in the image that works in this process; NULL until it is opened there */
};

static struct {
	pthread_mutex_t lock;
	struct context *first;
	uintptr_t last; /* highest name so far */
} contexts = {.lock = PTHREAD_MUTEX_INITIALIZER};

int zk_context_add(zkCTX *ctx)
{
	struct context *c = malloc(sizeof *c);
	if (!c)
		return -ENOMEM;
	pthread_mutex_lock(&contexts.lock);
	c->own = *ctx;
	if (zk_forked) /* the image counts anew, and would give names that are inherited */
		*ctx = (zkCTX)(contexts.last + 1);
	c->name = *ctx;
	if ((uintptr_t)c->name > contexts.last)
		contexts.last = (uintptr_t)c->name;
	c->next = contexts.first;
	contexts.first = c;
	pthread_mutex_unlock(&contexts.lock);
	return 0;
}

/* The place of the pointer to a context, or to the NULL behind the last one. */
static struct context **find(zkCTX name)
{
	struct context **c = &contexts.first;
	while (*c && (*c)->name != name)
		c = &(*c)->next;
	return c;
}

int zk_context_own(const zk_functions *functions, zkCTX *ctx)
{
	pthread_mutex_lock(&contexts.lock);
	struct context *c = *find(*ctx);
	int rc = !c ? -EBADF : c->own ? 0 : functions->Open(&c->own);
	if (rc == 0)
		*ctx = c->own;
	pthread_mutex_unlock(&contexts.lock);
	return rc;
}

int zk_context_remove(zkCTX *ctx)
{
	pthread_mutex_lock(&contexts.lock);
	struct context **place = find(*ctx), *c = *place;
	if (c) {
		*ctx = c->own;
		*place = c->next;
		free(c);
	}
	pthread_mutex_unlock(&contexts.lock);
	return c ? 0 : -EBADF;
}

void zk_contexts_inherited(void)
{
	pthread_mutex_init(&contexts.lock, NULL);
	for (struct context *c = contexts.first; c; c = c->next)
		c->own = NULL;
}
