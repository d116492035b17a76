/* SPDX-License-Identifier: Apache-2.0 */

/* cramped MODULE SCENARIO MEGABYTES: a host with so much address space left when it calls the module first. */
#include <sys/resource.h>

#include "host.h"

static struct rlimit before;

static void leave_room(long megabytes)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	CHECK(f != NULL && fscanf(f, "%ld", &pages) == 1);
	fclose(f);
	struct rlimit little = {pages * sysconf(_SC_PAGESIZE) + (megabytes << 20), 0};
	CHECK(getrlimit(RLIMIT_AS, &before) == 0);
	little.rlim_max = before.rlim_max;
	CHECK(setrlimit(RLIMIT_AS, &little) == 0);
}

static long megabytes;

static void enough(void)
{
	leave_room(megabytes);
	MUST(F->C_Initialize(NULL));
	work(F);
}

/* Says so once, lives, and works when the host has room. */
static void little(void)
{
	CK_INFO info;
	CK_SLOT_ID slots[4];
	CK_ULONG n = 4;
	leave_room(megabytes);
	MUST(F->C_Initialize(NULL));
	MUST(F->C_GetInfo(&info));
	EXPECT(F->C_GetSlotList(CK_FALSE, slots, &n), CKR_HOST_MEMORY);
	EXPECT(F->C_GetSlotList(CK_FALSE, slots, &n), CKR_HOST_MEMORY);
	CHECK(setrlimit(RLIMIT_AS, &before) == 0);
	work(F);
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"enough", enough}, {"little", little}};
	CHECK(argc == 4);
	megabytes = atol(argv[3]);
	return RUN_ONE(argc, argv, all);
}
