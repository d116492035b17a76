/* SPDX-License-Identifier: Apache-2.0 */
#include "estate.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "forksetting.h"

enum {
	CHUNK = 1 << 16, /* bytes that are mapped at a time */
	SMALLEST = 64,   /* bytes of the smallest room; the others are twice as large each */
	ROOMS = 10,      /* of different sizes; what needs more gets a chunk of its own */
	OLD = -1,        /* room that an ancestor has given, and nobody gives again */
};

typedef struct piece {
	struct piece *next;  /* children follow these alone */
	struct piece *prev;
	int room;            /* its size */
	size_t size;
	unsigned char content[];
} piece;

/* Mapped memory, of which all but the beginning is rooms. */
typedef struct chunk {
	struct chunk *next;
	size_t size;
} chunk;

struct zk_estate {
	int open;
	enum { UNKNOWN, NO, YES } claims;
	uint64_t ended; /* how often; nothing that was left before is there any more */
	uint64_t handles __attribute__((aligned(8)));
	piece *first;
	chunk *chunks;

	pthread_mutex_t lock; /* held by the thread that changes anything; a child's is new */
	piece *spare[ROOMS];  /* linked by next */
	unsigned char *room, *end; /* what is left of the last chunk */
};

static struct zk_estate own = {.lock = PTHREAD_MUTEX_INITIALIZER};
static struct zk_estate *estate = &own;

#define PUBLISH(PLACE, VALUE) __atomic_store_n(&(PLACE), VALUE, __ATOMIC_RELEASE)

/* ---- memory ------------------------------------------------------------------------------------ */

static void protect(chunk *c)
{
	madvise(c, c->size, MADV_DONTDUMP);
	mlock(c, c->size); /* as far as the limits allow; locks are not inherited */
}

static chunk *map(size_t size)
{
	chunk *c = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c == MAP_FAILED)
		return NULL;
	c->size = size;
	protect(c);
	c->next = estate->chunks;
	PUBLISH(estate->chunks, c);
	return c;
}

static piece *large(size_t size)
{
	size_t page = 4096, whole = (sizeof(chunk) + size + page - 1) / page * page;
	chunk *c = map(whole);
	return c ? (piece *)(c + 1) : NULL;
}

static piece *cut(size_t size)
{
	if ((size_t)(estate->end - estate->room) < size) {
		chunk *c = map(CHUNK);
		if (!c)
			return NULL;
		estate->room = (unsigned char *)c + SMALLEST;
		estate->end = (unsigned char *)c + CHUNK;
	}
	piece *p = (piece *)estate->room;
	estate->room += size;
	return p;
}

/* Room for a piece; with the lock held. */
static piece *take(size_t size)
{
	int n = 0;
	size_t whole = SMALLEST;
	while (n < ROOMS && whole < size)
		whole <<= 1, n++;
	piece *p = NULL;
	if (n == ROOMS) {
		p = large(size);
		n = OLD; /* seldom, and the memory comes back at the end */
	} else if ((p = estate->spare[n])) {
		estate->spare[n] = p->next;
	} else {
		p = cut(whole);
	}
	if (p)
		p->room = n;
	return p;
}

/* Overwrites a piece that nobody can find any more. */
static void release(piece *p)
{
	explicit_bzero(p->content, p->size);
	if (p->room == OLD)
		return;
	p->next = estate->spare[p->room];
	estate->spare[p->room] = p;
}

/* ---- pieces ------------------------------------------------------------------------------------ */

/* The one store by which a piece, or NULL, comes in the place of another. */
static void link_after(piece *prev, piece *p)
{
	if (prev)
		PUBLISH(prev->next, p);
	else
		PUBLISH(estate->first, p);
}

static void replace(piece *old, piece *new)
{
	new->next = old->next;
	new->prev = old->prev;
	link_after(old->prev, new);
	if (new->next)
		new->next->prev = new;
}

static void put_first(piece *p)
{
	p->prev = NULL;
	p->next = estate->first;
	if (p->next)
		p->next->prev = p;
	PUBLISH(estate->first, p);
}

static void take_out(piece *p)
{
	link_after(p->prev, p->next);
	if (p->next)
		p->next->prev = p->prev;
}

/* Whether the estate is the one that was begun; with the lock held. */
static int holds(uint64_t begun) { return estate->open && estate->ended + 1 == begun; }

/* Not by the vector registers, which the linker puts on the stack when it binds a function. */
static void copy(volatile unsigned char *to, const unsigned char *from, size_t size)
{
	while (size--)
		*to++ = *from++;
}

uintptr_t zk_estate_leave(uint64_t begun, uintptr_t instead, const void *content, size_t size)
{
	piece *p = NULL, *old = (piece *)instead;
	pthread_mutex_lock(&estate->lock);
	int open = holds(begun);
	if (open)
		p = take(sizeof *p + size);
	if (p) {
		p->size = size;
		copy(p->content, content, size);
		if (old)
			replace(old, p);
		else
			put_first(p);
	} else if (old && open) {
		take_out(old); /* nothing rather than what is not true any more */
	}
	if (old && open)
		release(old);
	pthread_mutex_unlock(&estate->lock);
	return (uintptr_t)p;
}

void zk_estate_revoke(uint64_t begun, uintptr_t revoked)
{
	piece *p = (piece *)revoked;
	pthread_mutex_lock(&estate->lock);
	if (p && holds(begun)) {
		take_out(p);
		release(p);
	}
	pthread_mutex_unlock(&estate->lock);
}

uintptr_t zk_estate_next(uintptr_t after)
{
	return (uintptr_t)(after ? ((piece *)after)->next : estate->first);
}

const void *zk_estate_content(uintptr_t of, size_t *size)
{
	*size = ((piece *)of)->size;
	return ((piece *)of)->content;
}

/* ---- the whole --------------------------------------------------------------------------------- */

struct zk_estate *zk_estate_own(void) { return estate; }

/*
 * Other threads of the parent may have been in the middle of a change: what they
 * had not published is forgotten, and what children do not follow is made anew.
 */
void zk_estate_adopt(struct zk_estate *shared)
{
	piece *prev = NULL;
	estate = shared;
	memset(estate->spare, 0, sizeof estate->spare);
	estate->room = estate->end = NULL;
	for (piece *p = estate->first; p; prev = p, p = p->next) {
		p->prev = prev;
		p->room = OLD;
	}
	for (chunk *c = estate->chunks; c; c = c->next)
		protect(c);
}

static int is_open(void) { return __atomic_load_n(&estate->open, __ATOMIC_ACQUIRE); }

int zk_estate_forked(void)
{
	pthread_mutex_init(&estate->lock, NULL);
	return is_open();
}

static void settle(int inherit)
{
	if (inherit)
		PUBLISH(estate->open, 1);
	__atomic_store_n(&estate->claims, is_open() ? YES : NO, __ATOMIC_RELAXED);
}

void zk_estate_initialize(void) { settle(!is_open() && zk_fork_setting()); }

uint64_t zk_estate_begin(int inherit)
{
	settle(inherit);
	return is_open() ? estate->ended + 1 : 0;
}

void zk_estate_end(void)
{
	pthread_mutex_lock(&estate->lock);
	PUBLISH(estate->open, 0);
	estate->ended++;
	__atomic_store_n(&estate->claims, UNKNOWN, __ATOMIC_RELAXED);
	PUBLISH(estate->first, NULL);
	chunk *c = estate->chunks;
	PUBLISH(estate->chunks, NULL);
	while (c) {
		chunk *next = c->next;
		size_t size = c->size;
		explicit_bzero(c, size);
		munmap(c, size);
		c = next;
	}
	memset(estate->spare, 0, sizeof estate->spare);
	estate->room = estate->end = NULL;
	pthread_mutex_unlock(&estate->lock);
}

uint64_t *zk_estate_handles(void) { return &estate->handles; }

int zk_claims_fork(void)
{
	int claims = __atomic_load_n(&estate->claims, __ATOMIC_RELAXED);
	return claims == UNKNOWN ? zk_fork_setting() : claims == YES;
}
