/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Random choices, the same for the same seed, and memory that ends where it is
 * said to end: each block lies at the end of a page behind which nothing may be
 * touched. The module makes an error of a touch, and writes a line to its log.
 */
#ifndef RANDOM_H
#define RANDOM_H 1

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, BLOCKS = 64 };

struct dice {
	uint64_t state;
	unsigned char *blocks; /* BLOCKS pages, each with a page of nothing behind it */
	int next;
};

static inline void dice_init(struct dice *d, uint64_t seed)
{
	d->state = seed * 2 + 1;
	d->next = 0;
	d->blocks = mmap(NULL, BLOCKS * 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (d->blocks == MAP_FAILED)
		abort();
	for (int i = 0; i < BLOCKS; i++)
		if (mprotect(d->blocks + (2 * i + 1) * PAGE, PAGE, PROT_NONE) != 0)
			abort();
}

/* roll returns a number below n (xorshift64*). */
static inline uint64_t roll(struct dice *d, uint64_t n)
{
	d->state ^= d->state >> 12;
	d->state ^= d->state << 25;
	d->state ^= d->state >> 27;
	return (d->state * 0x2545F4914F6CDD1DULL >> 16) % n;
}

static inline int one_in(struct dice *d, int n) { return roll(d, n) == 0; }

/* block returns n bytes, at most a page, which stay the caller's for BLOCKS blocks more. */
static inline void *block(struct dice *d, size_t n)
{
	unsigned char *end = d->blocks + (2 * d->next + 1) * PAGE;
	d->next = (d->next + 1) % BLOCKS;
	return end - n;
}

/*
 * locked_page returns a page that cannot be written, before one of nothing. A copy may
 * write what comes behind the page first, which without the second page is another's: a
 * thread's stack, or a file.
 */
static inline char *locked_page(void)
{
	char *page = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || mprotect(page, PAGE, PROT_READ) != 0)
		abort();
	return page;
}

/* nowhere returns an address that leads nowhere, or now and then to what cannot be written. */
static inline void *nowhere(struct dice *d)
{
	static char *locked;
	if (!locked)
		locked = locked_page(); /* of several threads any */
	switch (roll(d, 6)) {
	case 0: return (void *)(uintptr_t)(1 + roll(d, PAGE - 1));
	case 1: return d->blocks + PAGE + roll(d, PAGE);
	case 2: return d->blocks + PAGE - 1;
	case 3: return (void *)(uintptr_t)(0xffff8000c0000000 + roll(d, PAGE));
	case 4: return (void *)(UINTPTR_MAX - roll(d, PAGE));
	default: return locked + roll(d, PAGE);
	}
}

static inline void *copy(struct dice *d, const void *from, size_t n)
{
	void *to = block(d, n);
	return n ? memcpy(to, from, n) : to;
}

/* PICK returns one of the elements of an array. */
#define PICK(D, ARRAY) ((ARRAY)[roll((D), sizeof(ARRAY) / sizeof((ARRAY)[0]))])

#endif /* RANDOM_H */
