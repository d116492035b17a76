/* SPDX-License-Identifier: Apache-2.0 */

/*
 * forks MODULE SCENARIO: what hosts do around fork(), one scenario a run. Exit
 * status 0 and no output is a pass. A child that hangs is killed by an alarm.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkcs11.h"

#define EXPECT(CALL, WANT) \
	do { \
		CK_RV got_ = (CALL); \
		if (got_ != (WANT)) { \
			printf("%s:%d: %s: 0x%lx, want 0x%lx\n", __FILE__, __LINE__, #CALL, got_, (CK_RV)(WANT)); \
			fflush(stdout); \
			_exit(1); \
		} \
	} while (0)
#define CHECK(CONDITION) EXPECT((CONDITION) ? CKR_OK : CKR_GENERAL_ERROR, CKR_OK)

enum { THREADS = 8, DEPTH = 6, CYCLES = 20 };

static const char *module;
static CK_FUNCTION_LIST *F;

static CK_FUNCTION_LIST *load(const char *path)
{
	CK_FUNCTION_LIST *list;
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		printf("%s\n", dlerror());
		exit(1);
	}
	EXPECT(((CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList"))(&list), CKR_OK);
	return list;
}

static CK_ULONG slots(CK_FUNCTION_LIST *f)
{
	CK_ULONG n = 0;
	EXPECT(f->C_GetSlotList(CK_FALSE, NULL, &n), CKR_OK);
	return n;
}

static void in_child(void (*body)(void))
{
	int status = 0;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		alarm(30);
		body();
		fflush(stdout);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void use(void)
{
	CK_SESSION_HANDLE h;
	EXPECT(F->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &h), CKR_OK);
	EXPECT(F->C_CloseSession(h), CKR_OK);
}

static void start_and_use(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	use();
}

/* ---- before C_Initialize, and bad arguments --------------------------------------------------- */

static void not_initialized(void)
{
	CK_ULONG n;
	CK_INFO info;
	EXPECT(F->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_GetSlotList(CK_FALSE, NULL, &n), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_SignRecover(1, NULL, 0, NULL, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_Finalize(&n), CKR_ARGUMENTS_BAD);
}

static void arguments(void)
{
	not_initialized();
	CK_C_INITIALIZE_ARGS a = {.pReserved = &a};
	EXPECT(F->C_Initialize(&a), CKR_ARGUMENTS_BAD);
	a = (CK_C_INITIALIZE_ARGS){.CreateMutex = (CK_CREATEMUTEX)(void *)not_initialized, .flags = CKF_OS_LOCKING_OK};
	EXPECT(F->C_Initialize(&a), CKR_ARGUMENTS_BAD);
	a = (CK_C_INITIALIZE_ARGS){.flags = CKF_LIBRARY_CANT_CREATE_OS_THREADS};
	EXPECT(F->C_Initialize(&a), CKR_NEED_TO_CREATE_THREADS);
	not_initialized();
	start_and_use();
	EXPECT(F->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
	EXPECT(F->C_SignRecover(1, NULL, 0, NULL, NULL), CKR_FUNCTION_NOT_SUPPORTED);
	EXPECT(F->C_GetFunctionStatus(1), CKR_FUNCTION_NOT_PARALLEL);
	EXPECT(F->C_Finalize(NULL), CKR_OK);
	not_initialized();
}

static void only_loaded(void)
{
	in_child(arguments);
	not_initialized();
}

static void initialized(void)
{
	start_and_use();
	in_child(arguments);
	use();
}

/* ---- C_Initialize from the host's own handlers ------------------------------------------------- */

static void initialize_in_handler(void)
{
	EXPECT(F->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_Initialize(NULL), CKR_OK);
}

static void already_initialized(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
	use();
	in_child(use); /* the handler runs for the grandchild too */
	use();
}

static void handler_before_module(void)
{
	pthread_atfork(NULL, NULL, initialize_in_handler);
	F = load(module);
	start_and_use();
	in_child(already_initialized);
	use();
}

static void handler_after_module(void)
{
	start_and_use();
	pthread_atfork(NULL, NULL, initialize_in_handler);
	in_child(already_initialized);
	use();
}

/* ---- threads of the child ---------------------------------------------------------------------- */

static pthread_barrier_t together;
static int winners;

static void *initialize_and_use(void *unused)
{
	pthread_barrier_wait(&together);
	CK_RV rv = F->C_Initialize(NULL);
	if (rv == CKR_OK)
		__atomic_add_fetch(&winners, 1, __ATOMIC_RELAXED);
	else
		EXPECT(rv, CKR_CRYPTOKI_ALREADY_INITIALIZED);
	use();
	return unused;
}

static void many_threads(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&together, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, initialize_and_use, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(winners == 1);
}

static void threads(void)
{
	start_and_use();
	in_child(many_threads);
	use();
}

/* ---- what is loaded ---------------------------------------------------------------------------- */

static int count_copy(struct dl_phdr_info *object, size_t size, void *n)
{
	const char *file = strstr(object->dlpi_name, "/libzk_pkcs11.");
	(void)size;
	if (strstr(object->dlpi_name, "/self/fd/") || (file && strcmp(file, "/libzk_pkcs11.so") != 0))
		++*(CK_ULONG *)n;
	return 0;
}

/* Counts the copies that the dynamic linker knows, living and dead. */
static CK_ULONG copies(void)
{
	CK_ULONG n = 0;
	dl_iterate_phdr(count_copy, &n);
	return n;
}

static void cycle(void)
{
	for (int i = 0; i < CYCLES; i++) {
		start_and_use();
		EXPECT(F->C_Finalize(NULL), CKR_OK);
	}
	EXPECT(copies(), 1);
}

static void one_copy_for_all_cycles(void)
{
	in_child(cycle);
	EXPECT(copies(), 0);
}

static CK_ULONG depth;

static void deeper(void)
{
	not_initialized();
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	CHECK(slots(F) == 1); /* opens no descriptor, so that every generation gets the same for its copy */
	EXPECT(copies(), depth + 1); /* those of the ancestors stay mapped */
	if (++depth < DEPTH)
		in_child(deeper);
	use();
}

static void generations(void)
{
	start_and_use();
	in_child(deeper);
	use();
}

static CK_FUNCTION_LIST *G;

static void use_both(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	CHECK(slots(F) == 1); /* opens no descriptor, so that both copies get the same */
	EXPECT(G->C_GetInfo(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(G->C_Initialize(NULL), CKR_OK);
	CHECK(slots(G) == 1);
	use();
	EXPECT(F->C_Finalize(NULL), CKR_OK);
	CHECK(slots(G) == 1);
	EXPECT(copies(), 2);
}

/* ZK_TEST_SECOND is another file with the same library in it. */
static void two_images(void)
{
	G = load(getenv("ZK_TEST_SECOND"));
	CHECK(G != F);
	in_child(use_both);
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	EXPECT(G->C_GetInfo(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

/* ---- a child that has lost things -------------------------------------------------------------- */

static void close_all(void)
{
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	start_and_use();
}

static void descriptors_closed(void)
{
	start_and_use();
	in_child(close_all);
	use();
}

static void reuse_descriptors(void)
{
	for (int fd = 3; fd < 1024; fd++)
		dup2(0, fd);
	start_and_use();
}

static void descriptors_reused(void)
{
	start_and_use();
	in_child(reuse_descriptors);
	use();
}

static void leave_root(void)
{
	CHECK(chroot(getenv("ZK_TEST_ROOT")) == 0 && chdir("/") == 0);
	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(access("/proc/self", F_OK) != 0);
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	CHECK(slots(F) == 1);
}

/* ZK_TEST_ROOT is an empty directory. */
static void root_without_proc(void)
{
	start_and_use();
	in_child(leave_root);
	use();
}

static void no_descriptors(void)
{
	struct rlimit none = {0, 0};
	CK_ULONG n;
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	EXPECT(F->C_GetSlotList(CK_FALSE, NULL, &n), CKR_GENERAL_ERROR);
	EXPECT(F->C_GetSlotList(CK_FALSE, NULL, &n), CKR_GENERAL_ERROR);
	EXPECT(F->C_Finalize(NULL), CKR_OK);
}

static void copy_impossible(void)
{
	start_and_use();
	in_child(no_descriptors);
	use();
}

/* ---- what stays the same ----------------------------------------------------------------------- */

static struct {
	CK_INFO info;
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO token;
} parent;

static void same_identity(void)
{
	CK_INFO info;
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO token;
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	EXPECT(F->C_GetInfo(&info), CKR_OK);
	EXPECT(F->C_GetSlotInfo(0, &slot), CKR_OK);
	EXPECT(F->C_GetTokenInfo(0, &token), CKR_OK);
	CHECK(memcmp(&info, &parent.info, sizeof info) == 0);
	CHECK(memcmp(&slot, &parent.slot, sizeof slot) == 0);
	CHECK(memcmp(token.label, parent.token.label, 32 + 32 + 16 + 16) == 0);
}

static void identity(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	EXPECT(F->C_GetInfo(&parent.info), CKR_OK);
	EXPECT(F->C_GetSlotInfo(0, &parent.slot), CKR_OK);
	EXPECT(F->C_GetTokenInfo(0, &parent.token), CKR_OK);
	in_child(same_identity);
}

static void three_slots(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	CHECK(slots(F) == 3);
	EXPECT(F->C_Finalize(NULL), CKR_OK);
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	CHECK(slots(F) == 3);
}

static void three_slots_and_deeper(void)
{
	three_slots();
	in_child(three_slots);
}

static void settings_then_deeper(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	CHECK(slots(F) == 3);
	CHECK(unlink(getenv("ZK_PKCS11_CONF")) == 0);
	in_child(three_slots_and_deeper);
}

/* ZK_PKCS11_CONF is a file with three slots, which goes away. */
static void settings_of_parent(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	CHECK(unlink(getenv("ZK_PKCS11_CONF")) == 0);
	in_child(three_slots_and_deeper);
}

/* The same, but the first that read it was itself a child. */
static void settings_of_child(void)
{
	in_child(settings_then_deeper);
}

/* ---- locks of files ----------------------------------------------------------------------------- */

static CK_RV change_something(CK_SESSION_HANDLE h)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_TOKEN, &yes, sizeof yes}};
	CK_OBJECT_HANDLE object;
	CK_RV rv = F->C_CreateObject(h, template, 2, &object);
	return rv == CKR_OK ? F->C_DestroyObject(h, object) : rv;
}

static CK_SESSION_HANDLE writer(void)
{
	CK_SESSION_HANDLE h;
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	EXPECT(F->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h), CKR_OK);
	return h;
}

static void *change_for_ever(void *session)
{
	for (;;)
		change_something(*(CK_SESSION_HANDLE *)session);
	return NULL;
}

/* Forks while another thread writes, and tells the pid of the child. */
static void busy_parent(int tell)
{
	pthread_t thread;
	alarm(30);
	CK_SESSION_HANDLE h = writer();
	CHECK(pthread_create(&thread, NULL, change_for_ever, &h) == 0);
	usleep(20000);
	pid_t child = fork();
	if (child != 0)
		pause();
	alarm(30); /* alarms are not inherited */
	child = getpid();
	CHECK(write(tell, &child, sizeof child) == sizeof child); /* so its fork handlers have run */
	pause();
}

/* What a process held when it was killed is free, although its child lives. */
static void killed_while_writing(void)
{
	int ends[2], rounds = 6;
	CHECK(pipe(ends) == 0);
	while (rounds-- > 0) {
		pid_t grandchild, child = fork();
		if (child == 0)
			busy_parent(ends[1]);
		CHECK(read(ends[0], &grandchild, sizeof grandchild) == sizeof grandchild);
		CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
		CK_SESSION_HANDLE h = writer();
		CK_RV rv = change_something(h);
		kill(grandchild, SIGKILL);
		EXPECT(rv, CKR_OK);
		EXPECT(F->C_Finalize(NULL), CKR_OK);
	}
}

/* ---- signals of the host ----------------------------------------------------------------------- */

static volatile sig_atomic_t pipes;
static sigjmp_buf out;

static void count_pipe(int signal) { pipes += signal == SIGPIPE; }
static void leave_fault(int signal) { siglongjmp(out, signal); }

static void write_to_nobody(void)
{
	int ends[2];
	CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
	CHECK(write(ends[1], "x", 1) == -1);
	close(ends[1]);
}

/* What the host handled before the module was loaded is still handled by the host. */
static void handlers_work(void)
{
	volatile int *nowhere = NULL;
	start_and_use();
	pipes = 0;
	write_to_nobody();
	CHECK(pipes == 1);
	if (sigsetjmp(out, 1) == 0) {
		*nowhere = 1;
		CHECK(0);
	}
	use();
}

static void handlers_work_deeper(void)
{
	handlers_work();
	in_child(handlers_work);
}

static void host_handlers(void)
{
	signal(SIGPIPE, count_pipe);
	signal(SIGSEGV, leave_fault);
	F = load(module);
	handlers_work();
	in_child(handlers_work_deeper);
	use();
}

static void pipe_ignored_child(void)
{
	start_and_use();
	write_to_nobody();
	use();
}

static void pipe_ignored(void)
{
	signal(SIGPIPE, SIG_IGN);
	F = load(module);
	in_child(pipe_ignored_child);
	pipe_ignored_child();
}

static void pipe_default(void)
{
	int status = 0;
	F = load(module);
	start_and_use();
	pid_t child = fork();
	if (child == 0) {
		alarm(30);
		start_and_use();
		write_to_nobody();
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

static const struct {
	const char *name;
	void (*run)(void);
} scenarios[] = {
	{"only-loaded", only_loaded},
	{"initialized", initialized},
	{"handler-after-module", handler_after_module},
	{"threads", threads},
	{"one-copy-for-all-cycles", one_copy_for_all_cycles},
	{"generations", generations},
	{"two-images", two_images},
	{"descriptors-closed", descriptors_closed},
	{"descriptors-reused", descriptors_reused},
	{"root-without-proc", root_without_proc},
	{"copy-impossible", copy_impossible},
	{"identity", identity},
	{"settings-of-parent", settings_of_parent},
	{"settings-of-child", settings_of_child},
	{"killed-while-writing", killed_while_writing},
	/* These load the module themselves. */
	{"handler-before-module", handler_before_module},
	{"host-handlers", host_handlers},
	{"pipe-ignored", pipe_ignored},
	{"pipe-default", pipe_default},
};
enum { LOAD_THEMSELVES = 4 };

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	module = argv[1];
	alarm(60);
	const size_t n = sizeof scenarios / sizeof *scenarios;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(argv[2], scenarios[i].name) == 0) {
			if (i < n - LOAD_THEMSELVES)
				F = load(module);
			scenarios[i].run();
			return 0;
		}
	}
	printf("no scenario %s\n", argv[2]);
	return 2;
}
