/* SPDX-License-Identifier: Apache-2.0 */
#include "fork.h"

#include <errno.h>
#include <signal.h>

static struct sigaction before; /* Go's, which ends the process for a fault in C */

/* A fault in memory whose file was cut is mended, and every other one goes on to Go. */
static void on_bus(int number, siginfo_t *info, void *context)
{
	int why = errno;
	if (info->si_code > 0 && zk_files_mend(info->si_addr)) {
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

int zk_guard_cut_files(void)
{
	struct sigaction ours = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
	sigfillset(&ours.sa_mask);
	if (sigaction(SIGBUS, NULL, &before) != 0 || sigaction(SIGBUS, &ours, NULL) != 0)
		return -1;
	return zk_guard_files();
}
