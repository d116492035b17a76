/* SPDX-License-Identifier: Apache-2.0 */

/* manners MODULE SCENARIO: what the module leaves to its host. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "host.h"

/* ---- C_Initialize -------------------------------------------------------------------------------- */

static double microseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

/* Opens nothing and makes nothing. The line that is printed is for docs/PERFORMANCE.md. */
static void lazy(void)
{
	enum { TIMES = 1000, POLLER = 2 }; /* descriptors of the runtime, which it opens with its first timer */
	EXPECT(F->C_GetInfo(NULL), CKR_CRYPTOKI_NOT_INITIALIZED); /* waits until the runtime has started */
	int d = descriptors(), t = threads();
	double start = microseconds();
	for (int i = 0; i < TIMES; i++) {
		MUST(F->C_Initialize(NULL));
		CHECK(i > 0 || (descriptors() <= d + POLLER && threads() <= t + 1)); /* the collector's threads come as needed */
		MUST(F->C_Finalize(NULL));
	}
	printf("C_Initialize and C_Finalize take %.1f us\n", (microseconds() - start) / TIMES);
	CHECK(entries(getenv("ZK_PKCS11_HOME")) == 2); /* . and .. */
	CHECK(descriptors() <= d + POLLER);
}

/* ---- signals ----------------------------------------------------------------------------------------- */

static void sign_often(void)
{
	CK_BYTE signature[64];
	CK_SESSION_HANDLE h = session(F);
	CK_OBJECT_HANDLE key = half(F, h, CKO_PRIVATE_KEY);
	for (int i = 0; i < 3000; i++)
		MUST(try_sign(F, h, key, signature));
	MUST(F->C_CloseSession(h));
}

static void start(void)
{
	MUST(F->C_Initialize(NULL));
	login(F, session(F));
	sign_often();
}

static void write_to_nobody(void)
{
	int ends[2];
	CHECK(pipe(ends) == 0);
	close(ends[0]);
	CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
	close(ends[1]);
}

static void sigpipe(void)
{
	write_to_nobody(); /* main ignored it before the module was loaded */
	start();
	write_to_nobody();
	signal(SIGPIPE, SIG_IGN);
	write_to_nobody();
	sign_often();
}

static sigjmp_buf back;
static volatile sig_atomic_t caught;

static void catch(int signal)
{
	caught++;
	if (signal == SIGSEGV)
		siglongjmp(back, 1);
}

static void handle(int signal)
{
	struct sigaction a = {.sa_handler = catch, .sa_flags = SA_ONSTACK | SA_RESTART};
	CHECK(sigaction(signal, &a, NULL) == 0);
}

static void fault(void)
{
	int before = caught;
	if (sigsetjmp(back, 1) == 0)
		*(volatile int *)8 = 1;
	CHECK(caught == before + 1);
}

static void sigsegv(void)
{
	fault(); /* main installed the handler before the module was loaded */
	start();
	fault();
	handle(SIGSEGV); /* now they all are */
	fault();
	sign_often();
	fault();
}

static void profiled(void)
{
	struct itimerval tick = {{0, 1000}, {0, 1000}}, none = {{0, 0}, {0, 0}};
	int before = caught;
	CHECK(setitimer(ITIMER_PROF, &tick, NULL) == 0);
	sign_often();
	CHECK(setitimer(ITIMER_PROF, &none, NULL) == 0);
	CHECK(caught > before);
}

static void sigprof(void)
{
	start();
	profiled(); /* with the handler of before the module was loaded */
	handle(SIGPROF);
	profiled();
}

/* ---- the environment ----------------------------------------------------------------------------------- */

static void late_setenv(void)
{
	char home[4096];
	snprintf(home, sizeof home, "%s/late", getenv("ZK_PKCS11_HOME"));
	CHECK(setenv("ZK_PKCS11_HOME", home, 1) == 0);
	MUST(F->C_Initialize(NULL));
	half(F, session(F), CKO_PUBLIC_KEY);
	CHECK(access(home, F_OK) == 0);
	MUST(F->C_Finalize(NULL));
}

/* ---- the end --------------------------------------------------------------------------------------------- */

static const char *path;
static int late; /* calls are expected from atexit and destructors */

/* runtimes counts those of Go: the library below the vendor's C API has one, too. */
static int runtimes(void)
{
	const char *backend = getenv("ZK_PKCS11_BACKEND");
	return backend && strcmp(backend, "zymbit") == 0 ? 2 : 1;
}

static void unload(void)
{
	int t = threads();
	void *library;
	start();
	for (int i = 0; i < 50; i++) {
		library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		CHECK(library != NULL && dlclose(library) == 0);
	}
	dlclose(library); /* the one of load() */
	sign_often();
	MUST(F->C_Finalize(NULL));
	MUST(F->C_Initialize(NULL));
	work(F);
	MUST(F->C_Finalize(NULL));
	CHECK(threads() <= t + 12 * runtimes());
}

static void at_exit(void)
{
	if (!late)
		return;
	sign_often();
	MUST(F->C_Finalize(NULL));
	MUST(F->C_Initialize(NULL));
	work(F);
}

__attribute__((destructor)) static void at_last(void)
{
	if (late)
		work(F);
}

static void exit_handlers(void)
{
	start();
	late = 1;
}

/* ---- without a device ---------------------------------------------------------------------------------------- */

static void absent(void)
{
	CK_ULONG n = 0;
	CK_SLOT_ID slot;
	CK_TOKEN_INFO info;
	MUST(F->C_Initialize(NULL));
	MUST(F->C_GetSlotList(CK_FALSE, NULL, &n));
	CHECK(n == 1);
	MUST(F->C_GetSlotList(CK_TRUE, &slot, &n));
	CHECK(n == 0);
	EXPECT(F->C_GetTokenInfo(0, &info), CKR_TOKEN_NOT_PRESENT);
	MUST(F->C_Finalize(NULL));
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {
		{"lazy", lazy}, {"sigpipe", sigpipe}, {"sigsegv", sigsegv}, {"sigprof", sigprof}, {"setenv", late_setenv},
		{"unload", unload}, {"exit", exit_handlers}, {"absent", absent},
	};
	CHECK(argc == 3);
	path = argv[1];
	alarm(60);
	atexit(at_exit);
	signal(SIGPIPE, SIG_IGN);
	handle(SIGSEGV);
	handle(SIGPROF);
	return RUN_ONE(argc, argv, all);
}
