/* SPDX-License-Identifier: Apache-2.0 */

/* What host programs share. They print a line and end with 1 at the first thing that is wrong. */
#ifndef HOST_H
#define HOST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
#define MUST(CALL) EXPECT(CALL, CKR_OK)
#define CHECK(CONDITION) EXPECT((CONDITION) ? CKR_OK : CKR_GENERAL_ERROR, CKR_OK)
#define UNUSED __attribute__((unused))

static const char *module;  /* its file */
static CK_FUNCTION_LIST *F; /* the module that the host uses */

UNUSED static CK_FUNCTION_LIST *load(const char *path)
{
	CK_FUNCTION_LIST *list;
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		printf("%s\n", dlerror());
		exit(1);
	}
	MUST(((CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList"))(&list));
	return list;
}

UNUSED static CK_SESSION_HANDLE session(CK_FUNCTION_LIST *f)
{
	CK_SESSION_HANDLE h;
	MUST(f->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h));
	return h;
}

UNUSED static void login(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE h)
{
	char *pin = getenv("ZK_TEST_PIN");
	CHECK(pin != NULL);
	MUST(f->C_Login(h, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)));
}

/* Finds the half of a class in key slot 0, which has CKA_ID 0. */
UNUSED static CK_OBJECT_HANDLE half(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE h, CK_OBJECT_CLASS class)
{
	CK_BYTE id = 0;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, &id, 1}};
	CK_OBJECT_HANDLE object = 0;
	CK_ULONG n = 0;
	MUST(f->C_FindObjectsInit(h, t, 2));
	MUST(f->C_FindObjects(h, &object, 1, &n));
	MUST(f->C_FindObjectsFinal(h));
	CHECK(n == 1);
	return object;
}

/* Signs once and returns what the module answers. */
UNUSED static CK_RV try_sign(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE h, CK_OBJECT_HANDLE key, CK_BYTE signature[64])
{
	CK_MECHANISM m = {CKM_ECDSA, NULL, 0};
	CK_BYTE digest[32] = {1};
	CK_ULONG n = 64;
	CK_RV rv = f->C_SignInit(h, &m, key);
	return rv != CKR_OK ? rv : f->C_Sign(h, digest, sizeof digest, signature, &n);
}

UNUSED static CK_RV try_verify(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE h, CK_OBJECT_HANDLE key, CK_BYTE signature[64])
{
	CK_MECHANISM m = {CKM_ECDSA, NULL, 0};
	CK_BYTE digest[32] = {1};
	CK_RV rv = f->C_VerifyInit(h, &m, key);
	return rv != CKR_OK ? rv : f->C_Verify(h, digest, sizeof digest, signature, 64);
}

/* All of a user's work: log in, find, sign, verify. */
UNUSED static void work(CK_FUNCTION_LIST *f)
{
	CK_BYTE signature[64];
	CK_SESSION_HANDLE h = session(f);
	login(f, h);
	MUST(try_sign(f, h, half(f, h, CKO_PRIVATE_KEY), signature));
	MUST(try_verify(f, h, half(f, h, CKO_PUBLIC_KEY), signature));
	MUST(f->C_CloseSession(h));
}

UNUSED static int entries(const char *directory)
{
	int n = 0;
	DIR *d = opendir(directory);
	CHECK(d != NULL);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

UNUSED static int threads(void) { return entries("/proc/self/task") - 2; }
UNUSED static int descriptors(void) { return entries("/proc/self/fd") - 3; } /* its own is open too */

/* Resident memory in kB. */
UNUSED static long resident(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	CHECK(f != NULL && fscanf(f, "%*s %ld", &pages) == 1);
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE) / 1024;
}

/* Runs a function in a child, which has 30 s. */
UNUSED static void in_child(void (*body)(void))
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

struct scenario {
	const char *name;
	void (*run)(void);
};

/* Runs the scenario that the second argument names; the first is the module. */
UNUSED static int run_one(int argc, char **argv, int loaded, const struct scenario *all, size_t n)
{
	CHECK(argc >= 3);
	module = argv[1];
	if (loaded)
		F = load(module);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(argv[2], all[i].name) == 0) {
			all[i].run();
			return 0;
		}
	}
	printf("no scenario %s\n", argv[2]);
	return 2;
}
#define RUN_ONE(ARGC, ARGV, ALL) run_one(ARGC, ARGV, 1, ALL, sizeof(ALL) / sizeof *(ALL))
/* The same, with scenarios that load the module themselves. */
#define RUN_BARE(ARGC, ARGV, ALL) run_one(ARGC, ARGV, 0, ALL, sizeof(ALL) / sizeof *(ALL))

#endif
