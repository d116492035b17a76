/* SPDX-License-Identifier: Apache-2.0 */

/* masks MODULE SCENARIO WHEN [SIGNAL]: signals reach the host's threads only. */
#include "guest.h"

#include <poll.h>
#include <sys/signalfd.h>

static const char *when;
static int number;

/* Those by which a thread dies of its own fault, which nobody blocks. */
static int of_faults(int n) { return n == SIGILL || n == SIGTRAP || n == SIGBUS || n == SIGFPE || n == SIGSEGV; }

/* Those that nobody can block: the C library has two for itself. */
static int unblockable(int n) { return n == SIGKILL || n == SIGSTOP || n == 32 || n == 33; }

/* ---- a host that reads its signals ------------------------------------------------------------------- */

static void read_all(void)
{
	struct signalfd_siginfo i;
	sigset_t all;
	sigfillset(&all);
	CHECK(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
	struct pollfd p = {signalfd(-1, &all, SFD_CLOEXEC), POLLIN, 0};
	CHECK(p.fd >= 0);
	for (int n = 1; n <= 64; n++) {
		if (of_faults(n) || unblockable(n))
			continue;
		CHECK(kill(getpid(), n) == 0);
		if (poll(&p, 1, 5000) != 1 || read(p.fd, &i, sizeof i) != sizeof i || (int)i.ssi_signo != n) {
			printf("signal %d was not to be read\n", n);
			exit(1);
		}
	}
	close(p.fd);
}

static void read_signals(void) { reach(when, read_all); }

/* ---- a host that keeps its handlers out ------------------------------------------------------------- */

static volatile sig_atomic_t inside, seen, hits, foreign;

static void handler(int unused UNUSED)
{
	hits++;
	seen += inside;
	foreign += !of_host;
}

static void keep_out(void)
{
	enum { TIMES = 100 };
	struct sigaction a = {.sa_handler = handler, .sa_flags = SA_RESTART};
	sigset_t s, old;
	CHECK(sigaction(number, &a, NULL) == 0);
	sigemptyset(&s);
	sigaddset(&s, number);
	for (int i = 0; i < TIMES; i++) {
		sigprocmask(SIG_BLOCK, &s, &old);
		inside = 1;
		kill(getpid(), number);
		usleep(1000);
		inside = 0;
		sigprocmask(SIG_SETMASK, &old, NULL);
	}
	if (seen || foreign || hits != TIMES) {
		printf("of %d signals %d were handled, %d inside the section, %d on threads that are not the host's\n", TIMES, (int)hits, (int)seen,
			(int)foreign);
		exit(1);
	}
}

static void critical(void) { reach(when, keep_out); }

/* ---- what the library's threads block ----------------------------------------------------------------- */

static unsigned long long blocked_by(const char *thread)
{
	char path[64], line[256];
	unsigned long long mask = ~0ULL; /* of one that has just ended */
	snprintf(path, sizeof path, "/proc/self/task/%s/status", thread);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		sscanf(line, "SigBlk: %llx", &mask);
	if (f)
		fclose(f);
	return mask;
}

/* The first signal that a thread should block and does not. */
static int open_to(unsigned long long mask)
{
	for (int n = 1; n <= 64; n++)
		if (!(mask >> (n - 1) & 1) && !of_faults(n) && !unblockable(n))
			return n;
	return 0;
}

static void look_at_threads(void)
{
	int wrong = 0;
	DIR *d = opendir("/proc/self/task");
	CHECK(d != NULL);
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.' || atoi(e->d_name) == thread_id())
			continue;
		int n = open_to(blocked_by(e->d_name));
		if (n && ++wrong)
			printf("thread %s takes signal %d\n", e->d_name, n);
	}
	closedir(d);
	CHECK(wrong == 0);
}

static void blocked(void) { reach(when, look_at_threads); }

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"signalfd", read_signals}, {"critical", critical}, {"blocked", blocked}};
	CHECK(argc >= 4);
	when = argv[3];
	number = argc > 4 ? atoi(argv[4]) : 0;
	this_is_host();
	return RUN_BARE(argc, argv, all);
}
