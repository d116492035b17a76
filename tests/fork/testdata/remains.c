/* SPDX-License-Identifier: Apache-2.0 */

/*
 * remains MODULE SCENARIO: writes what is in the memory of a worker to descriptor 3. The
 * worker's parent has logged in; it itself calls nothing.
 */
#include "children.h"

enum { PAGE = 4096 };

static void write_page(const char *page)
{
	static const char zeros[PAGE];
	if (memcmp(page, zeros, PAGE) != 0)
		CHECK(write(3, page, PAGE) == PAGE);
}

static void write_memory(void)
{
	char line[4096], mode[8];
	unsigned long from, to;
	FILE *maps = fopen("/proc/self/maps", "r");
	CHECK(maps != NULL);
	while (fgets(line, sizeof line, maps)) {
		CHECK(sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3);
		if (strncmp(mode, "rw", 2) != 0 || strstr(line, "[v"))
			continue;
		for (; from < to; from += PAGE)
			write_page((const char *)from);
	}
	fclose(maps);
}

static void worker(void)
{
	MUST(F->C_Initialize(NULL));
	CK_SESSION_HANDLE s = session(F);
	login(F, s);
	in_child(write_memory);
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"worker", worker}};
	alarm(120);
	return RUN_ONE(argc, argv, all);
}
