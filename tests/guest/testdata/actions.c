/* SPDX-License-Identifier: Apache-2.0 */

/* actions MODULE SCENARIO WHEN KIND: a host's handlers, masks and alternate stacks stay its own. */
#include "guest.h"

#include <setjmp.h>

static const char *when, *kind;

/* ---- nothing is changed but the handlers of SIGSEGV and SIGBUS --------------------------------------- */

enum { SIGNALS = 64, ALTERNATE = 1 << 16 };

/* What the kernel keeps: the handler first, the flags second. */
typedef unsigned long action[8];

/* Those that the C library handles for itself, once there are threads. */
static int of_libc(int n) { return n == 32 || n == 33; }

struct state {
	action actions[SIGNALS + 1];
	sigset_t mask;
	stack_t stack;
};

static void look(struct state *s)
{
	memset(s, 0, sizeof *s);
	for (int n = 1; n <= SIGNALS; n++)
		CHECK(syscall(SYS_rt_sigaction, n, NULL, s->actions[n], 8) == 0);
	CHECK(pthread_sigmask(SIG_SETMASK, NULL, &s->mask) == 0 && sigaltstack(NULL, &s->stack) == 0);
}

/* Prints what differs, but for SIGSEGV and SIGBUS, and ends with 1 if anything does. */
static void compare(const struct state *a, const struct state *b)
{
	int wrong = 0;
	for (int n = 1; n <= SIGNALS; n++) {
		if (n == SIGSEGV || n == SIGBUS || of_libc(n) || memcmp(a->actions[n], b->actions[n], sizeof(action)) == 0)
			continue;
		printf("signal %d: handler 0x%lx became 0x%lx, flags 0x%lx became 0x%lx\n", n, a->actions[n][0], b->actions[n][0],
			a->actions[n][1], b->actions[n][1]);
		wrong++;
	}
	if (memcmp(&a->mask, &b->mask, SIGNALS / 8) != 0)
		printf("another mask\n"), wrong++;
	if (a->stack.ss_sp != b->stack.ss_sp || a->stack.ss_size != b->stack.ss_size || a->stack.ss_flags != b->stack.ss_flags)
		printf("another alternate stack: %p, %zu bytes, flags %d\n", b->stack.ss_sp, b->stack.ss_size, b->stack.ss_flags), wrong++;
	if (wrong)
		exit(1);
}

static void ignore(int unused UNUSED) {}

/* A host with its own mind about each signal. */
static void set_all(void)
{
	static const int flags[] = {0, SA_ONSTACK, SA_RESTART};
	for (int n = 1; n <= SIGNALS; n++) {
		struct sigaction a = {.sa_handler = n % 4 ? ignore : SIG_IGN, .sa_flags = flags[n % 3]};
		if (n == SIGCHLD || n == SIGKILL || n == SIGSTOP || of_libc(n))
			continue; /* children are waited for */
		sigaddset(&a.sa_mask, n % 31 + 1);
		CHECK(sigaction(n, &a, NULL) == 0);
	}
}

static struct state before;

static void compare_now(void)
{
	struct state now;
	look(&now);
	compare(&before, &now);
}

/* A thread that comes to the library late, and gives itself a stack between calls. */
static void *compare_in_thread(void *unused)
{
	struct state first, with_stack, now;
	look(&first);
	MUST(use_all());
	look(&now);
	compare(&first, &now);
	move_handlers(ALTERNATE);
	look(&with_stack);
	MUST(use_all());
	look(&now);
	compare(&with_stack, &now);
	return unused;
}

static void compare_everywhere(void)
{
	pthread_t thread;
	MUST(use_all());
	compare_now();
	CHECK(pthread_create(&thread, NULL, compare_in_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
	compare_now();
}

static void unchanged(void)
{
	sigset_t some;
	if (strcmp(kind, "set") == 0) {
		set_all();
		move_handlers(ALTERNATE);
		sigemptyset(&some);
		sigaddset(&some, SIGUSR2);
		sigaddset(&some, SIGWINCH);
		CHECK(sigprocmask(SIG_SETMASK, &some, NULL) == 0);
	}
	look(&before);
	reach(when, strcmp(when, "loaded") == 0 ? compare_now : compare_everywhere);
}

/* ---- a host that dies by its own fault ---------------------------------------------------------------- */

static void bus_error(void)
{
	char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, memfd_create("short", 0), 0);
	CHECK(p != MAP_FAILED);
	__asm__ volatile("" ::"r"(*(volatile char *)p));
}

static void *die(void *unused)
{
	if (strcmp(kind, "segv") == 0)
		*(volatile int *)(uintptr_t)8 = 1;
	else if (strcmp(kind, "bus") == 0)
		bus_error();
	else if (strcmp(kind, "ill") == 0)
		__builtin_trap();
	else if (strcmp(kind, "abort") == 0)
		abort();
	else
		raise(atoi(kind));
	return unused;
}

static void crash_in_main(void) { die(NULL); }

static void crash_in_thread(void)
{
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, die, NULL) == 0);
	pthread_join(thread, NULL);
}

static void crash(void) { reach(when, crash_in_main); }
static void crash_thread(void) { reach(when, crash_in_thread); }

/* ---- a host that handles its own faults --------------------------------------------------------------- */

static __thread sigjmp_buf back;
static __thread volatile sig_atomic_t caught, elsewhere;
static __thread void *volatile fault_address;

static void catch(int unused UNUSED, siginfo_t *info, void *context UNUSED)
{
	int here;
	caught++;
	elsewhere += !on_own_stack(&here);
	fault_address = info->si_addr;
	siglongjmp(back, 1);
}

static int on_alternate(void) { return strcmp(kind, "onstack") == 0; }

static void handle_faults(const char *now)
{
	struct sigaction a = {.sa_sigaction = catch, .sa_flags = SA_SIGINFO | (on_alternate() ? SA_ONSTACK : 0)};
	if (strcmp(when, now) == 0)
		CHECK(sigaction(SIGSEGV, &a, NULL) == 0 && sigaction(SIGBUS, &a, NULL) == 0);
}

static void join_host(void)
{
	this_is_host();
	if (on_alternate())
		move_handlers(ALTERNATE);
}

static volatile int deeper = 1;

/* Needs all the stack that there is. */
static int __attribute__((noinline)) run_out(void)
{
	volatile char block[4096];
	block[0] = deeper;
	return (deeper ? run_out() : 0) + block[0];
}

static void fault_three_ways(void)
{
	caught = elsewhere = 0;
	if (sigsetjmp(back, 1) == 0)
		*(volatile int *)(uintptr_t)8 = 1;
	CHECK(caught == 1 && fault_address == (void *)8);
	if (sigsetjmp(back, 1) == 0)
		bus_error();
	CHECK(caught == 2);
	if (on_alternate() && sigsetjmp(back, 1) == 0)
		run_out();
	CHECK(caught == 2 + on_alternate() && elsewhere == 0);
}

static void *fault_in_thread(void *unused)
{
	join_host();
	fault_three_ways();
	MUST(use_all());
	fault_three_ways();
	return unused;
}

static void faults(void)
{
	pthread_t thread;
	join_host();
	handle_faults("before");
	F = load(module);
	handle_faults("loaded");
	start_use();
	handle_faults("called");
	fault_three_ways();
	MUST(use_all());
	fault_three_ways();
	CHECK(pthread_create(&thread, NULL, fault_in_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"unchanged", unchanged}, {"crash", crash}, {"crash-thread", crash_thread}, {"faults", faults}};
	struct rlimit no_core = {0, 0};
	CHECK(argc == 5);
	when = argv[3];
	kind = argv[4];
	setrlimit(RLIMIT_CORE, &no_core);
	return RUN_BARE(argc, argv, all);
}
