/* SPDX-License-Identifier: Apache-2.0 */

/*
 * smoke MODULE: what a program does with a token, and what it costs. It prints how long it takes to load the module and to list
 * its slots, and how much memory the process has then, in kB.
 */
#include <stddef.h>
#include <time.h>

#include "host.h"

_Static_assert(sizeof(CK_ULONG) == sizeof(long), "the specification wants this");
_Static_assert(sizeof(CK_ATTRIBUTE) == 3 * sizeof(void *), "no padding between the members");
_Static_assert(offsetof(CK_MECHANISM, pParameter) == sizeof(CK_ULONG), "as the specification has it");

static long microseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	CK_ULONG n = 0;
	long before = resident(), start = microseconds();
	F = load(argc > 1 ? argv[1] : "");
	long loaded = microseconds();
	MUST(F->C_Initialize(NULL));
	MUST(F->C_GetSlotList(CK_TRUE, NULL, &n));
	CHECK(n == 1);
	long listed = microseconds();
	printf("pointers of %zu bits, time_t of %zu: loaded in %ld us, slots listed in %ld us, resident %ld kB before and %ld kB after\n", 8 * sizeof(void *),
		8 * sizeof(time_t), loaded - start, listed - loaded, before, resident());
	for (int i = 0; i < 10; i++)
		work(F);
	MUST(F->C_Finalize(NULL));
	return 0;
}
