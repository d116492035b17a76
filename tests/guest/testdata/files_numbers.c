/* SPDX-License-Identifier: Apache-2.0 */

/* files_numbers MODULE SCENARIO: the numbers of the module's descriptors, and what it does when there are none. */
#include "files.h"

#include <sys/resource.h>

static void free_still(void)
{
	for (int fd = 0; fd <= 2; fd++)
		CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
}

/* The host has closed its inputs and outputs before it loads the module. */
static void standard(void)
{
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 50);
	CHECK(out >= 50);
	stdout = fdopen(out, "w");
	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	F = load(module);
	free_still();
	MUST(F->C_Initialize(NULL));
	free_still();
	CK_SESSION_HANDLE h = session(F);
	free_still();
	login(F, h);
	change(h);
	free_still();
	MUST(F->C_Finalize(NULL));
	whole();
	free_still();
}

/* Reports what C_GetSlotList answers, and in n how many tokens there are. */
static CK_RV tokens(CK_ULONG *n)
{
	CK_SLOT_ID slots[8];
	*n = 8;
	return F->C_GetSlotList(CK_TRUE, slots, n);
}

/* The module is used for the first time with this many free descriptors, and again when there are more. */
static void with_free(int spare)
{
	struct rlimit limit = {256, 256};
	int held[256], n = 0;
	CK_ULONG found = 0;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while ((held[n] = open("/dev/null", O_RDONLY)) >= 0)
		n++;
	CHECK(n > spare);
	for (int i = 0; i < spare; i++)
		close(held[--n]);
	CK_RV rv = F->C_Initialize(NULL);
	if (rv == CKR_OK)
		rv = tokens(&found);
	while (n > 0)
		close(held[--n]);
	if (rv == CKR_OK && found == 0) { /* the module tries again after a second */
		usleep(1100 * 1000);
		MUST(tokens(&found));
		CHECK(found == 1);
	}
	F->C_Finalize(NULL);
	whole();
}

/* The number of free descriptors is in ZK_TEST_FREE. */
static void few(void)
{
	F = load(module);
	with_free(atoi(getenv("ZK_TEST_FREE")));
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"standard", standard}, {"few", few}};
	alarm(120);
	return RUN_BARE(argc, argv, all);
}
