/* SPDX-License-Identifier: Apache-2.0 */
#define _FILE_OFFSET_BITS 64 /* as SQLite is built */
#include "../../internal/fresh/sqlite.h"
#include "fork.h"

#include <signal.h>

static struct sigaction before; /* Go's, which ends the process for a fault in C */

/* A fault in memory whose file was cut is mended, and every other one goes on to Go. */
static void on_bus(int number, siginfo_t *info, void *context)
{
	int why = errno;
	if (info->si_code > 0 && mend_sqlite_mapping((uintptr_t)info->si_addr)) {
		errno = why;
		return;
	}
	if (before.sa_flags & SA_SIGINFO) {
		before.sa_sigaction(number, info, context);
		return;
	}
	sigaction(number, &before, NULL);
	if (info->si_code <= 0)
		raise(number);
}

/* Each library has a SQLite of its own, and so its own table of what that has open and mapped. */
int zk_guard_files(void)
{
	struct sigaction ours = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
	sigfillset(&ours.sa_mask);
	if (sigaction(SIGBUS, NULL, &before) != 0 || sigaction(SIGBUS, &ours, NULL) != 0)
		return -1;
	return guard_sqlite_files();
}

int zk_files_intact(void) { return sqlite_files_intact(); }
void zk_files_give_up(uint64_t device, uint64_t inode) { give_up_sqlite_file(device, inode); }
uint64_t zk_files_cut(void) { return count_sqlite_cuts(); }
