/* SPDX-License-Identifier: Apache-2.0 */

/*
 * limits MODULE SCENARIO WHEN N: a host that is at a limit before it loads the module, when it has loaded it, when it
 * has called it, or in a forked child of one that has. Prints the answer: 0x0 if all went well, else the code of the
 * first call that failed.
 */
#include "guest.h"

#include <spawn.h>

static const char *when;
static int number;

static void set_soft_limit(int resource, rlim_t soft)
{
	struct rlimit l;
	CHECK(getrlimit(resource, &l) == 0);
	l.rlim_cur = soft;
	CHECK(setrlimit(resource, &l) == 0);
}

static void tell(CK_RV rv)
{
	printf("0x%lx\n", rv);
	CHECK(rv == CKR_OK || rv == CKR_HOST_MEMORY || rv == CKR_GENERAL_ERROR);
}

/* ---- no more threads --------------------------------------------------------------------------------------- */

enum { CROWD = 64 };

static pthread_barrier_t ready;
static CK_RV answer;

static void *use_when_ready(void *unused)
{
	pthread_barrier_wait(&ready);
	CK_RV rv = use_all();
	if (rv != CKR_OK)
		__atomic_store_n(&answer, rv, __ATOMIC_RELAXED);
	return unused;
}

static void become_common(void)
{
	char *uid = getenv("ZK_TEST_UID"); /* the limit does not hold for root */
	if (uid)
		CHECK(setresgid(atoi(uid), atoi(uid), atoi(uid)) == 0 && setresuid(atoi(uid), atoi(uid), atoi(uid)) == 0);
}

static rlim_t threads_of_before;

static void forbid_threads(void)
{
	struct rlimit l;
	pthread_t thread;
	CHECK(getrlimit(RLIMIT_NPROC, &l) == 0);
	threads_of_before = l.rlim_cur;
	set_soft_limit(RLIMIT_NPROC, 1);
	CHECK(pthread_create(&thread, NULL, use_when_ready, NULL) == EAGAIN);
}

static void allow_threads(void) { set_soft_limit(RLIMIT_NPROC, threads_of_before); }

static CK_RV begin_and_use(void)
{
	CK_SESSION_HANDLE h;
	CK_RV rv = initialize();
	if (rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		TRY(rv);
	TRY(open_session(&h)); /* keeps the login */
	return use_all();
}

/* All of the host's threads use the library at once. */
static CK_RV use_by_crowd(pthread_t *crowd)
{
	pthread_barrier_wait(&ready);
	for (int i = 0; i < number; i++)
		pthread_join(crowd[i], NULL);
	return answer;
}

/* Reaches the limit, uses the library at it by all of the threads, and once more without the limit. */
static void use_without_threads(void)
{
	pthread_t crowd[CROWD];
	CHECK(number <= CROWD && pthread_barrier_init(&ready, NULL, number + 1) == 0);
	for (int i = 0; i < number; i++)
		CHECK(pthread_create(&crowd[i], NULL, use_when_ready, NULL) == 0);
	forbid_threads();
	if (!F)
		F = load(module);
	CK_RV first = begin_and_use(), all = use_by_crowd(crowd);
	tell(first != CKR_OK ? first : all);
	allow_threads();
	MUST(begin_and_use());
	MUST(F->C_Finalize(NULL));
}

static void in_fresh_child(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	answer = CKR_OK;
	use_without_threads();
}

static void nproc(void)
{
	become_common();
	if (strcmp(when, "before") != 0)
		F = load(module);
	if (strcmp(when, "called") == 0 || strcmp(when, "child") == 0)
		MUST(begin_and_use());
	if (strncmp(when, "child", 5) == 0)
		in_child(in_fresh_child);
	else
		use_without_threads();
}

/* ---- little address space ----------------------------------------------------------------------------------- */

static void limit_space(void) { set_soft_limit(RLIMIT_AS, (rlim_t)number << 20); }

static CK_RV use_in_small_crowd(void)
{
	enum { SMALL = 2 };
	pthread_t crowd[SMALL];
	int n = 0;
	CHECK(pthread_barrier_init(&ready, NULL, 1) == 0);
	while (n < SMALL && pthread_create(&crowd[n], NULL, use_when_ready, NULL) == 0)
		n++; /* the host itself may find no space for a stack */
	while (n > 0)
		pthread_join(crowd[--n], NULL);
	return answer;
}

static CK_RV use_in_little_space(void)
{
	TRY(begin_and_use());
	return use_in_small_crowd();
}

static void limited(void)
{
	limit_space();
	void *library = dlopen(module, RTLD_NOW);
	if (!library) {
		printf("not loaded\n");
		return;
	}
	MUST(((CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList"))(&F));
	tell(use_in_little_space());
}

static void space(void)
{
	if (strcmp(when, "before") != 0)
		F = load(module);
	if (strcmp(when, "child") != 0) {
		limited();
		return;
	}
	MUST(begin_and_use());
	in_child(limited);
}

/* ---- the limit of descriptors, which is the host's own ------------------------------------------------------- */

static struct rlimit own;

static void same_limit(void)
{
	struct rlimit l;
	CHECK(getrlimit(RLIMIT_NOFILE, &l) == 0);
	if (l.rlim_cur != own.rlim_cur || l.rlim_max != own.rlim_max) {
		printf("%lu/%lu became %lu/%lu\n", own.rlim_cur, own.rlim_max, l.rlim_cur, l.rlim_max);
		exit(1);
	}
}

/* Starts a shell that ends with 0 if it has the limit. */
static void same_in_programs(void)
{
	char command[64];
	int status;
	pid_t child;
	snprintf(command, sizeof command, "test `ulimit -Sn` = %lu", own.rlim_cur);
	char *arguments[] = {"sh", "-c", command, NULL};
	CHECK(system(command) == 0);
	CHECK(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void same_everywhere(void)
{
	same_limit();
	same_in_programs();
	MUST(use_all());
	same_limit();
	same_in_programs();
}

static void nofile(void)
{
	set_soft_limit(RLIMIT_NOFILE, number);
	CHECK(getrlimit(RLIMIT_NOFILE, &own) == 0 && own.rlim_max > own.rlim_cur);
	F = load(module);
	same_limit();
	start_use();
	same_everywhere();
	what_follows = same_everywhere;
	in_child(follow_in_child);
	MUST(F->C_Finalize(NULL));
	same_in_programs();
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"nproc", nproc}, {"space", space}, {"nofile", nofile}};
	struct rlimit no_core = {0, 0};
	CHECK(argc == 5);
	when = argv[3];
	number = atoi(argv[4]);
	setrlimit(RLIMIT_CORE, &no_core);
	return RUN_BARE(argc, argv, all);
}
