/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Outputs that nobody has initialised hold what was on the stack before, an address
 * in the library's own heap for example. That must not matter to its garbage
 * collector, which another thread keeps busy.
 */
#include <inttypes.h>
#include <pthread.h>

#include "check.h"

enum { ROUNDS = 500000, PAGE = 8192 };

static zkCTX ctx;
static int done;

static void *make_garbage(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
		uint8_t *bytes = NULL;
		OK(zkGetRandBytes(ctx, &bytes, 1 << 16));
		free(bytes);
	}
	return NULL;
}

/* The first piece of memory that looks like a heap of Go: aligned, large, and no file. */
static int find_heap(uintptr_t *from, uintptr_t *to)
{
	char line[512];
	int found = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	CHECK(maps != NULL);
	while (!found && fgets(line, sizeof line, maps))
		found = strstr(line, " rw-p ") && (strstr(line, "Go: heap") || !strpbrk(line, "/[")) &&
			sscanf(line, "%" SCNxPTR "-%" SCNxPTR, from, to) == 2 &&
			*from % (4 << 20) == 0 && *to - *from >= 4 << 20;
	fclose(maps);
	return found;
}

int main(void)
{
	uintptr_t from, to;
	unsigned seed = 1;
	pthread_t thread;
	ctx = opened();
	for (int i = 0; i < 200; i++) { /* lets the heap grow, and pieces of it fall idle */
		uint8_t *bytes = NULL;
		OK(zkGetRandBytes(ctx, &bytes, 1 << 20));
		free(bytes);
	}
	CHECK(find_heap(&from, &to));
	OK(pthread_create(&thread, NULL, make_garbage, NULL));
	for (int i = 0; i < ROUNDS; i++) {
		uint8_t *bytes = (uint8_t *)(from + rand_r(&seed) % ((to - from) / PAGE) * PAGE);
		OK(zkGetRandBytes(ctx, &bytes, 4));
		free(bytes);
	}
	__atomic_store_n(&done, 1, __ATOMIC_RELAXED);
	OK(pthread_join(thread, NULL));
	OK(zkClose(ctx));
	return 0;
}
