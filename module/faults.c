/* SPDX-License-Identifier: Apache-2.0 */
#include "../internal/fresh/sqlite.h"
#include "faults.h"
#include "fork.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { SIGNALS = 64 };

/* As the kernel has it, for the C library hides two signals of its own. */
typedef struct {
	uintptr_t handler;
	unsigned long flags;
	uintptr_t rest[6]; /* more than any architecture has */
} action;

static action before[SIGNALS + 1];

/* One of the two signals of faults. */
typedef struct {
	struct sigaction host, go;
} fault;

static fault segv, bus;

static uintptr_t code_start, code_end; /* of this library */

/* Where SIGBUS was, by the page: threads may meet several at once. */
enum { PAGE_BITS = 12, LOST_PAGES = 64 };
static uintptr_t lost[LOST_PAGES];

static __thread stack_t fault_stack; /* no size: this thread is the runtime's own, and has its stack */

static int kernel_action(int number, const action *new, action *old)
{
	return syscall(SYS_rt_sigaction, number, new, old, sizeof(uint64_t));
}

void zk_note_actions(void)
{
	for (int i = 1; i <= SIGNALS; i++)
		kernel_action(i, NULL, &before[i]);
	sigaction(SIGSEGV, NULL, &segv.host);
	sigaction(SIGBUS, NULL, &bus.host);
}

void zk_set_fault_stack(const stack_t *stack) { fault_stack = *stack; }

static int note_code(struct dl_phdr_info *info, size_t size, void *unused)
{
	uintptr_t here = (uintptr_t)note_code;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;
		if (p->p_type == PT_LOAD && (p->p_flags & PF_X) && here >= start && here < start + p->p_memsz) {
			code_start = start;
			code_end = start + p->p_memsz;
			return 1;
		}
	}
	return 0;
}

static uintptr_t program_counter(const ucontext_t *context)
{
#if defined(__x86_64__)
	return context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return context->uc_mcontext.pc;
#elif defined(__arm__)
	return context->uc_mcontext.arm_pc;
#else
#error "where is the program counter?"
#endif
}

/* The arguments of a handler, for makecontext, which passes numbers only. */
static __thread struct {
	fault *fault;
	int number;
	siginfo_t *info;
	void *context;
} pending;

static void run_go_handler(void) { pending.fault->go.sa_sigaction(pending.number, pending.info, pending.context); }

/*
 * Go wants its handler on the stack that it has for it. A thread of the host has its own
 * alternate stack, or none: then this runs on the stack of the goroutine, which start.c
 * has made large enough.
 */
static void give_to_go(fault *f, int number, siginfo_t *info, void *context)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0), low = (uintptr_t)fault_stack.ss_sp;
	if (fault_stack.ss_size == 0 || here - low < fault_stack.ss_size) {
		f->go.sa_sigaction(number, info, context);
		return;
	}
	struct {
		ucontext_t back, there;
	} *contexts = fault_stack.ss_sp; /* at its far end: the host's stack may be small */
	getcontext(&contexts->there);
	contexts->there.uc_stack.ss_sp = contexts + 1;
	contexts->there.uc_stack.ss_size = fault_stack.ss_size - sizeof *contexts;
	contexts->there.uc_link = &contexts->back;
	pending.fault = f;
	pending.number = number;
	pending.info = info;
	pending.context = context;
	makecontext(&contexts->there, run_go_handler, 0);
	swapcontext(&contexts->back, &contexts->there);
}

/* As the kernel would have called it. */
static void call_host_handler(fault *f, int number, siginfo_t *info, void *context)
{
	struct sigaction host = f->host;
	sigset_t mask;
	sigorset(&mask, &((ucontext_t *)context)->uc_sigmask, &host.sa_mask);
	if (!(host.sa_flags & SA_NODEFER))
		sigaddset(&mask, number);
	if (host.sa_flags & SA_RESETHAND)
		f->host.sa_handler = SIG_DFL;
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (host.sa_flags & SA_SIGINFO)
		host.sa_sigaction(number, info, context);
	else
		host.sa_handler(number);
}

static void give_to_host(fault *f, int number, siginfo_t *info, void *context)
{
	int sent = info->si_code <= 0; /* by somebody; the kernel's own has an instruction that faults again */
	if (f->host.sa_handler != SIG_DFL && f->host.sa_handler != SIG_IGN) {
		call_host_handler(f, number, info, context);
		return;
	}
	if (sent && f->host.sa_handler == SIG_IGN)
		return;
	sigaction(number, &f->host, NULL);
	if (sent)
		raise(number);
}

static uintptr_t *lost_at(uintptr_t address) { return &lost[(address >> PAGE_BITS) % LOST_PAGES]; }

static void on_fault(int number, siginfo_t *info, void *context)
{
	fault *f = number == SIGSEGV ? &segv : &bus;
	uintptr_t pc = program_counter(context);
	int why = errno;
	if (number == SIGBUS && info->si_code > 0 && zk_files_mend(info->si_addr)) {
		errno = why;
		return;
	}
	if (number == SIGBUS)
		__atomic_store_n(lost_at((uintptr_t)info->si_addr), (uintptr_t)info->si_addr, __ATOMIC_RELAXED);
	if (info->si_code > 0 && pc >= code_start && pc < code_end && zk_runs_here())
		give_to_go(f, number, info, context);
	else
		give_to_host(f, number, info, context);
}

int zk_at_lost_file(uintptr_t address) { return address && address == __atomic_load_n(lost_at(address), __ATOMIC_RELAXED); }

static void stand_before(fault *f, int number)
{
	struct sigaction ours = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
	sigfillset(&ours.sa_mask);
	sigaction(number, NULL, &f->go);
	sigaction(number, &ours, NULL);
}

/* Whether the runtime has changed an action: to a handler of its own, or to the alternate stack. */
static int changed(const action *now, const action *host)
{
	return (now->handler >= code_start && now->handler < code_end) || (now->handler == host->handler && now->flags != host->flags);
}

void zk_restore_actions(void)
{
	dl_iterate_phdr(note_code, NULL);
	stand_before(&segv, SIGSEGV);
	stand_before(&bus, SIGBUS);
	for (int i = 1; i <= SIGNALS; i++) {
		action now;
		int own = i == 32 || i == 33; /* the C library's: the runtime's threads get them, on their alternate stacks */
		if (i != SIGSEGV && i != SIGBUS && !own && kernel_action(i, NULL, &now) == 0 && changed(&now, &before[i]))
			kernel_action(i, &before[i], NULL);
	}
}
