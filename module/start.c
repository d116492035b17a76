/* SPDX-License-Identifier: Apache-2.0 */
#include "start.h"

#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "crossing.h"
#include "faults.h"
#include "fork.h"
#include "threads.h"

/*
 * The function that starts the runtime. start.ld takes it out of the constructors; where
 * that was not given to the linker, as in a plain go build, there is no such name, and the
 * runtime starts when the library is loaded.
 */
typedef void start_function(int argc, char **argv);
extern start_function *const zk_go_start[] __attribute__((weak, visibility("hidden")));

/*
 * The runtime ends the process when it cannot reserve this much, of which it uses little;
 * and the C library reserves some for each new thread, while there is any.
 */
#define ADDRESS_SPACE (sizeof(void *) == 8 ? (size_t)1800 << 20 : (size_t)600 << 20)
#define HEAP_SPACE ((size_t)192 << 20) /* of it, for goReserveHeap */
#define DATA_SPACE ((size_t)300 << 20) /* where that is limited: tables of the heap, and stacks of threads */

static int started;    /* or about to be */
static int finished;   /* all is ready for calls */
static int complained; /* of what is wrong now */

int zk_started(void) { return started; }

void zk_complain(const char *format, ...)
{
	char line[512];
	va_list arguments;
	int n = snprintf(line, sizeof line, "libzk_pkcs11: error: ");
	va_start(arguments, format);
	n += vsnprintf(line + n, sizeof line - n, format, arguments);
	va_end(arguments);
	dprintf(STDERR_FILENO, "%.*s\n", (int)sizeof line, line);
}

static void *heap_space; /* kept from the C library until the heap takes it */

/* Whether there is as much address space as the runtime reserves. */
static int has_address_space(void)
{
	char *trial = mmap(NULL, ADDRESS_SPACE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (trial == MAP_FAILED)
		return 0;
	munmap(trial + HEAP_SPACE, ADDRESS_SPACE - HEAP_SPACE);
	heap_space = trial;
	return 1;
}

static void release_heap_space(void)
{
	if (heap_space)
		munmap(heap_space, HEAP_SPACE);
	heap_space = NULL;
}

static CK_RV lacks(const char *what)
{
	if (!complained)
		zk_complain("this process has no room for the module: %s; calls answer CKR_HOST_MEMORY until it has", what);
	complained = 1;
	return CKR_HOST_MEMORY;
}

/* Whether as much may be written as the runtime writes to at its start. */
static int has_data_space(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return 1;
	void *trial = mmap(NULL, DATA_SPACE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (trial == MAP_FAILED)
		return 0;
	munmap(trial, DATA_SPACE);
	return 1;
}

/* Whether a filter forbids what the runtime cannot do without. */
static int has_system_calls(void)
{
	stack_t stack;
	char byte;
	return sigaltstack(NULL, &stack) == 0 && !(syscall(SYS_getrandom, &byte, 1, GRND_NONBLOCK) < 0 && errno == EPERM);
}

/* Looks at all that the runtime would end the process for, and makes its threads ready. */
static CK_RV make_room(void)
{
	char what[160];
	int threads = zk_threads_to_start();
	if (!has_system_calls())
		return lacks("its filter of system calls (seccomp) has to allow getrandom and sigaltstack");
	if (!has_data_space()) {
		snprintf(what, sizeof what, "raise its limit of data (ulimit -d), of which %zu MB have to be free", DATA_SPACE >> 20);
		return lacks(what);
	}
	if (!has_address_space()) {
		snprintf(what, sizeof what, "raise its limit of address space (ulimit -v), of which %zu MB have to be free", ADDRESS_SPACE >> 20);
		return lacks(what);
	}
	if (zk_ready_threads(threads) != 0) {
		release_heap_space();
		snprintf(what, sizeof what, "raise its limit of threads (ulimit -u, or a cgroup's pids.max), of which it needs %d more: %s",
			threads, strerror(errno));
		return lacks(what);
	}
	return CKR_OK;
}

/*
 * What the runtime finds where a program finds its arguments: an environment of its own,
 * for the host's is meant for the host (GODEBUG, GOGC, GOTRACEBACK), and the kernel's
 * auxiliary vector. It keeps and reads all this later, in other threads.
 */
static uintptr_t first_stack[32];

static char processors_variable[32], zone_variable[256];

/*
 * invalidptr: a pointer of a caller that leads nowhere is the caller's error, no reason to
 * end the process. asyncpreemptoff: no thread gets SIGURG. gcshrinkstackoff: see goMeet.
 * containermaxprocs: no file stays open.
 */
static char debug_variable[] = "GODEBUG=invalidptr=0,asyncpreemptoff=1,gcshrinkstackoff=1,containermaxprocs=0,updatemaxprocs=0";

static void fill_first_stack(int processors)
{
	static const unsigned long kinds[] = {AT_PAGESZ, AT_RANDOM, AT_SYSINFO_EHDR, AT_HWCAP, AT_HWCAP2, AT_SECURE};
	const char *zone = getenv("TZ");
	int n = 0;
	first_stack[n++] = (uintptr_t)"libzk_pkcs11";
	first_stack[n++] = 0;
	snprintf(processors_variable, sizeof processors_variable, "GOMAXPROCS=%d", processors);
	first_stack[n++] = (uintptr_t)processors_variable;
	first_stack[n++] = (uintptr_t)debug_variable;
	if (zone && snprintf(zone_variable, sizeof zone_variable, "TZ=%s", zone) < (int)sizeof zone_variable)
		first_stack[n++] = (uintptr_t)zone_variable;
	first_stack[n++] = 0;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		unsigned long value = getauxval(kinds[i]);
		if (value) {
			first_stack[n++] = kinds[i];
			first_stack[n++] = value;
		}
	}
}

/* The runtime raises the soft limit of descriptors, which the host may need as it was, and hands down. */
static void restore_descriptor_limit(const struct rlimit *before)
{
	struct rlimit now;
	if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur > before->rlim_cur && now.rlim_max == before->rlim_max)
		setrlimit(RLIMIT_NOFILE, before);
}

static struct {
	sigset_t mask;
	struct rlimit descriptors;
} host; /* what the host has */

/* All signals are blocked until leave_start: the runtime's threads inherit that. */
static void enter_start(void)
{
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &host.mask);
	getrlimit(RLIMIT_NOFILE, &host.descriptors);
	zk_note_actions();
	started = 1;
}

static void leave_start(void)
{
	zk_restore_actions();
	pthread_sigmask(SIG_SETMASK, &host.mask, NULL);
}

/* A plain build: the constructors of the runtime and its libraries run between these two. */
__attribute__((constructor(101))) static void before_go(void)
{
	if (!zk_go_start)
		enter_start();
}

__attribute__((constructor)) static void after_go(void)
{
	if (!zk_go_start)
		leave_start();
}

/* Waits for the runtime, and has it take what it may want later, when the host may have no more of it. */
static CK_RV finish_start(int processors)
{
	struct rlimit space;
	CK_RV rv = zk_meet();
	if (rv != CKR_OK)
		return rv;
	restore_descriptor_limit(&host.descriptors);
	release_heap_space();
	if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY)
		goReserveHeap();
	goPrepareThreads(processors + 1);
	zk_dismiss_threads(ZK_SPARE_THREADS);
	complained = 0;
	finished = 1;
	return CKR_OK;
}

CK_RV zk_start(void)
{
	if (finished)
		return CKR_OK;
	int processors = zk_processors();
	if (!started) {
		CK_RV rv = make_room();
		if (rv != CKR_OK)
			return rv;
		enter_start();
		fill_first_stack(processors);
		zk_go_start[0](1, (char **)first_stack);
		leave_start();
	}
	return finish_start(processors);
}

static __thread int met;

/*
 * When a thread of the host ends, the runtime takes back what it has given to the thread,
 * by a destructor, and leaves signals blocked. Destructors of the host that run later have
 * the thread as it was before, and may call: then it is met again.
 */
extern int __real_pthread_key_create(pthread_key_t *, void (*)(void *)) __attribute__((weak));
static void (*go_destructor)(void *);

static void part(void *g)
{
	zk_crossing crossing;
	stack_t its;
	if (zk_is_dead())
		return; /* the parent's runtime has met this thread */
	zk_fence(&crossing);
	int known = sigaltstack(NULL, &its) == 0;
	go_destructor(g);
	met = 0;
	if (known)
		sigaltstack(&its, NULL);
	zk_leave(&crossing);
}

int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
	if (!destructor || go_destructor)
		return __real_pthread_key_create(key, destructor);
	go_destructor = destructor;
	return __real_pthread_key_create(key, part);
}

/*
 * The runtime gives a thread an alternate stack at its first call, and lets through signals
 * that it wants. The host's stack is put back, and that of the runtime remembered for the
 * faults of Go. It would take a stack on which a handler of the host runs for its own, for
 * good: a thread cannot make its first call there.
 */
CK_RV zk_meet(void)
{
	stack_t none = {.ss_flags = SS_DISABLE}, its, ours;
	if (__builtin_expect(met, 1))
		return CKR_OK;
	if (sigaltstack(&none, &its) != 0)
		return CKR_FUNCTION_FAILED;
	met = 1;
	goMeet();
	zk_inside();
	if (sigaltstack(NULL, &ours) == 0 && !(ours.ss_flags & SS_DISABLE))
		zk_set_fault_stack(&ours);
	sigaltstack(&its, NULL);
	return CKR_OK;
}
