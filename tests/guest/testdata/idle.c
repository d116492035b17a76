/* SPDX-License-Identifier: Apache-2.0 */

/* idle MODULE SCENARIO: what a host pays for a module that it loads and does not use, as programs do that load all of them. */
#include "guest.h"

/* Counts descriptors of the kernel's own, such as those of epoll and eventfd, and prints them. */
static int anonymous(void)
{
	char path[64], target[256];
	int n = 0;
	for (int fd = 0; fd < 256; fd++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		ssize_t length = readlink(path, target, sizeof target - 1);
		target[length > 0 ? length : 0] = 0;
		if (strncmp(target, "anon_inode:", 11) == 0 && ++n)
			printf("descriptor %d is %s\n", fd, target);
	}
	return n;
}

static void unused(void)
{
	enum { MOST = 3584, FILES = 2 }; /* kB; descriptors from which forked children load their copy */
	CK_INFO info;
	int d = descriptors(), a = anonymous();
	long before = resident();
	F = load(module);
	long loaded = resident();
	MUST(initialize());
	MUST(F->C_GetInfo(&info));
	printf("%d threads, %d descriptors more, resident memory %ld kB more (%ld after dlopen)\n", threads(), descriptors() - d, resident() - before,
		loaded - before);
	CHECK(threads() == 1 && descriptors() - d <= FILES && anonymous() == a && resident() - before <= MOST);
	MUST(F->C_Finalize(NULL));
	CHECK(threads() == 1);
}

/* The runtime that make builds in has no descriptors in use, either. */
static void used(void)
{
	int a = anonymous();
	F = load(module);
	start_use();
	sleep(1); /* timers have run */
	printf("after use: %d threads, resident memory %ld kB\n", threads(), resident());
	CHECK(anonymous() == a);
	MUST(F->C_Finalize(NULL));
}

static void unused_in_child(void)
{
	CK_INFO info;
	MUST(initialize());
	MUST(F->C_GetInfo(&info));
	CHECK(threads() == 1);
	MUST(use_all());
}

/* A child of a host that only loaded the module pays no more, until it uses it. */
static void child(void)
{
	CK_INFO info;
	F = load(module);
	in_child(unused_in_child);
	MUST(initialize());
	MUST(F->C_GetInfo(&info));
	CHECK(threads() == 1);
	MUST(F->C_Finalize(NULL));
	in_child(unused_in_child);
	MUST(initialize());
	MUST(use_all());
	MUST(F->C_Finalize(NULL));
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"unused", unused}, {"used", used}, {"child", child}};
	CHECK(argc == 3);
	return RUN_BARE(argc, argv, all);
}
