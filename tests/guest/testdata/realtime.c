/* SPDX-License-Identifier: Apache-2.0 */

/* realtime MODULE SCENARIO: a host with real-time scheduling, on one processor, uses the library. Exit status 77: it may not have that. */
#define _GNU_SOURCE
#include <sched.h>

#include "host.h"

static void alone(void)
{
	struct sched_param high = {.sched_priority = 50};
	cpu_set_t one;
	CPU_ZERO(&one);
	CHECK(sched_getaffinity(0, sizeof one, &one) == 0);
	for (int i = 0, seen = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &one) && seen++)
			CPU_CLR(i, &one);
	}
	CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
	if (sched_setscheduler(0, SCHED_FIFO, &high) != 0)
		exit(77);
	MUST(F->C_Initialize(NULL));
	work(F);
	CHECK(sched_getscheduler(0) == SCHED_FIFO);
	MUST(F->C_Finalize(NULL));
}

static const struct scenario scenarios[] = {{"alone", alone}};

int main(int argc, char **argv) { return RUN_ONE(argc, argv, scenarios); }
