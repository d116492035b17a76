/* SPDX-License-Identifier: Apache-2.0 */

/*
 * signals MODULE SIGNAL STACK WHEN FLAGS THREADS MILLISECONDS: a signal comes all the time while threads log in, sign and
 * generate. Its handler needs STACK bytes of stack; it is set before the module is loaded, when it is loaded or when it was
 * called, with FLAGS none, restart or onstack. It has to run on the host's threads only, and on the stacks that they gave it.
 */
#include "guest.h"

#include <sys/time.h>

enum { MOST = 4, PAUSE = 300, ALTERNATE = 1 << 17 };

static int number, need, count, flags;
static double deadline;

/* ---- the handler ------------------------------------------------------------------------------------- */

static long hits, foreign, elsewhere;
static __thread volatile long mine;

static void __attribute__((noinline)) fill_stack(int n)
{
	char block[1024];
	memset(block, 0x55, sizeof block);
	__asm__ volatile("" ::"r"(block) : "memory");
	if (n > (int)sizeof block)
		fill_stack(n - sizeof block);
	__asm__ volatile("" ::"r"(block) : "memory");
}

static void handler(int unused UNUSED)
{
	int error = errno;
	__atomic_add_fetch(&hits, 1, __ATOMIC_RELAXED);
	mine++;
	if (!of_host)
		__atomic_add_fetch(&foreign, 1, __ATOMIC_RELAXED);
	else if (!on_own_stack(&error))
		__atomic_add_fetch(&elsewhere, 1, __ATOMIC_RELAXED);
	if (need)
		fill_stack(need);
	errno = error;
}

/* Makes this thread one of the host, with a stack for handlers of its own if they want one. */
static void join_host(void)
{
	this_is_host();
	if (!(flags & SA_ONSTACK))
		return;
	move_handlers(ALTERNATE);
}

static void change_mask(int how)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, number);
	CHECK(pthread_sigmask(how, &s, NULL) == 0);
}

/* ---- who sends it -------------------------------------------------------------------------------------- */

/* What the host shares with the process that sends signals to its threads. */
static struct shared {
	pid_t threads[MOST];
	long sent, rounds;
	int stop;
} *shared;

static pid_t sender;

static void send_signals(pid_t host)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == host && !__atomic_load_n(&shared->stop, __ATOMIC_ACQUIRE)) {
		for (int i = 0; i < MOST; i++) {
			pid_t thread = __atomic_load_n(&shared->threads[i], __ATOMIC_ACQUIRE);
			shared->sent += thread && syscall(SYS_tgkill, host, thread, number) == 0;
		}
		__atomic_add_fetch(&shared->rounds, 1, __ATOMIC_RELEASE);
		usleep(PAUSE);
	}
	_exit(0);
}

static void make_sender(void)
{
	pid_t host = getpid();
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	sender = fork();
	CHECK(sender >= 0);
	if (sender == 0)
		send_signals(host);
}

/* The timer that sends the signal to the process; -1 if it has none, and the sender does. */
static int timer(void)
{
	return number == SIGALRM ? ITIMER_REAL : number == SIGPROF ? ITIMER_PROF : number == SIGVTALRM ? ITIMER_VIRTUAL : -1;
}

static void set_timer(int microseconds)
{
	struct itimerval t = {{0, microseconds}, {0, microseconds}};
	if (timer() >= 0)
		CHECK(setitimer(timer(), &t, NULL) == 0);
}

static void be_sent_signals(int place) { __atomic_store_n(&shared->threads[place], thread_id(), __ATOMIC_RELEASE); }

/* Returns when none can be under way to this thread. */
static void be_sent_no_more(int place)
{
	__atomic_store_n(&shared->threads[place], 0, __ATOMIC_RELEASE);
	long now = __atomic_load_n(&shared->rounds, __ATOMIC_ACQUIRE);
	while (__atomic_load_n(&shared->rounds, __ATOMIC_ACQUIRE) < now + 2)
		usleep(PAUSE);
}

/* ---- what they interrupt ------------------------------------------------------------------------------ */

static void work_once(CK_SESSION_HANDLE h)
{
	CK_RV rv = log_in(h);
	CHECK(rv == CKR_OK || (count > 1 && rv == CKR_USER_ALREADY_LOGGED_IN));
	MUST(sign_often(h, 50));
	MUST(make_pair(h));
	if (count == 1)
		MUST(F->C_Logout(h));
}

static void work_long(int place)
{
	CK_SESSION_HANDLE h;
	MUST(open_session(&h));
	be_sent_signals(place);
	do
		work_once(h);
	while (seconds() < deadline);
	CHECK(mine > 0 || timer() >= 0);
	be_sent_no_more(place);
	MUST(F->C_CloseSession(h));
	long before = mine;
	CHECK(raise(number) == 0 && mine > before);
}

static void *worker(void *place)
{
	join_host();
	change_mask(SIG_UNBLOCK);
	work_long((int)(size_t)place);
	return NULL;
}

static void work_in_threads(void)
{
	pthread_t all[MOST];
	CK_SESSION_HANDLE h;
	MUST(open_session(&h));
	MUST(log_in(h)); /* for all of them */
	be_sent_no_more(0);
	change_mask(SIG_BLOCK); /* main only waits */
	for (int i = 0; i < count; i++)
		CHECK(pthread_create(&all[i], NULL, worker, (void *)(size_t)i) == 0);
	for (int i = 0; i < count; i++)
		pthread_join(all[i], NULL);
}

static void begin(const char *when, const char *now)
{
	struct sigaction a = {.sa_handler = handler, .sa_flags = flags};
	if (strcmp(when, now) != 0)
		return;
	CHECK(sigaction(number, &a, NULL) == 0);
	set_timer(PAUSE);
	be_sent_signals(0);
}

static void end(void)
{
	set_timer(0);
	shared->stop = 1;
	CHECK(waitpid(sender, NULL, 0) == sender);
	if (hits == 0 || foreign || elsewhere || (number >= SIGRTMIN && hits != shared->sent + count)) {
		printf("of %ld signals %ld were handled, %ld not on a stack of the host's, %ld on threads that are not the host's\n", shared->sent,
			hits, elsewhere, foreign);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	CHECK(argc == 8);
	number = atoi(argv[2]);
	need = atoi(argv[3]);
	const char *when = argv[4];
	flags = strcmp(argv[5], "onstack") == 0 ? SA_ONSTACK : strcmp(argv[5], "restart") == 0 ? SA_RESTART : 0;
	count = atoi(argv[6]);
	CHECK(count >= 1 && count <= MOST);
	make_sender();
	join_host();
	begin(when, "before");
	F = load(argv[1]);
	begin(when, "loaded");
	CK_SLOT_ID slot;
	MUST(initialize());
	MUST(find_slot(&slot));
	begin(when, "called");
	deadline = seconds() + atoi(argv[7]) / 1e3;
	if (count == 1)
		work_long(0);
	else
		work_in_threads();
	end();
	return 0;
}
