/* SPDX-License-Identifier: Apache-2.0 */

/*
 * driver MODULE: logs in to slot 0 of the module with the PIN of the first line
 * of the standard input. Each line after that, "OPERATION COUNT", runs an
 * operation so often and is answered by the nanoseconds that all of them took.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "pkcs11.h"

static CK_FUNCTION_LIST *p11;
static CK_SESSION_HANDLE session;
static CK_BYTE message[32] = "signed again and again";

static void need(CK_RV rv, const char *what)
{
	if (rv == CKR_OK)
		return;
	fprintf(stderr, "%s: 0x%lx\n", what, rv);
	exit(1);
}

static CK_OBJECT_HANDLE find(CK_OBJECT_CLASS class, CK_BYTE id)
{
	CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
	CK_ULONG found = 0;
	CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, &id, 1}};
	need(p11->C_FindObjectsInit(session, wanted, 2), "C_FindObjectsInit");
	need(p11->C_FindObjects(session, &key, 1, &found), "C_FindObjects");
	need(p11->C_FindObjectsFinal(session), "C_FindObjectsFinal");
	need(found == 1 ? CKR_OK : CKR_GENERAL_ERROR, "keys found");
	return key;
}

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Signs with the key of a key slot. The last signature must be right. */
static void sign(long count, CK_MECHANISM_TYPE type, CK_BYTE slot)
{
	CK_MECHANISM m = {type, NULL, 0};
	CK_OBJECT_HANDLE key = find(CKO_PRIVATE_KEY, slot);
	CK_BYTE signature[64];
	CK_ULONG n = 0;
	long long start = now();
	for (long i = 0; i < count; i++) {
		n = sizeof signature;
		need(p11->C_SignInit(session, &m, key), "C_SignInit");
		need(p11->C_Sign(session, message, sizeof message, signature, &n), "C_Sign");
	}
	printf("%lld\n", now() - start);
	need(p11->C_VerifyInit(session, &m, find(CKO_PUBLIC_KEY, slot)), "C_VerifyInit");
	need(p11->C_Verify(session, message, sizeof message, signature, n), "C_Verify");
}

static void session_info(long count)
{
	CK_SESSION_INFO info;
	long long start = now();
	for (long i = 0; i < count; i++)
		need(p11->C_GetSessionInfo(session, &info), "C_GetSessionInfo");
	printf("%lld\n", now() - start);
}

/* What the module asks of the kernel for a call: that signals wait, and that they wait no more. */
static void hold_signals(long count)
{
	unsigned long all = ~0UL, before;
	long long start = now();
	for (long i = 0; i < count; i++) {
		syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before, sizeof all);
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof all);
	}
	printf("%lld\n", now() - start);
}

/* Two calls, as servers make them. */
static void open_session(long count)
{
	CK_SESSION_HANDLE h;
	long long start = now();
	for (long i = 0; i < count; i++) {
		need(p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &h), "C_OpenSession");
		need(p11->C_CloseSession(h), "C_CloseSession");
	}
	printf("%lld\n", now() - start);
}

static void find_by_id(long count)
{
	long long start = now();
	for (long i = 0; i < count; i++)
		find(CKO_PRIVATE_KEY, 3);
	printf("%lld\n", now() - start);
}

static void read_point(long count)
{
	CK_OBJECT_HANDLE key = find(CKO_PUBLIC_KEY, 3);
	CK_BYTE point[128];
	long long start = now();
	for (long i = 0; i < count; i++) {
		CK_ATTRIBUTE a = {CKA_EC_POINT, point, sizeof point};
		need(p11->C_GetAttributeValue(session, key, &a, 1), "C_GetAttributeValue");
	}
	printf("%lld\n", now() - start);
}

/* Ends the session: nothing but this can be run afterwards. */
static void initialize(long count)
{
	long long start = now();
	for (long i = 0; i < count; i++) {
		need(p11->C_Finalize(NULL), "C_Finalize");
		need(p11->C_Initialize(NULL), "C_Initialize");
	}
	printf("%lld\n", now() - start);
}

static void run(const char *operation, long count)
{
	if (strcmp(operation, "P-256") == 0)
		sign(count, CKM_ECDSA, 0);
	else if (strcmp(operation, "Ed25519") == 0)
		sign(count, CKM_EDDSA, 14);
	else if (strcmp(operation, "C_GetSessionInfo") == 0)
		session_info(count);
	else if (strcmp(operation, "signals") == 0)
		hold_signals(count);
	else if (strcmp(operation, "C_OpenSession") == 0)
		open_session(count);
	else if (strcmp(operation, "C_GetAttributeValue") == 0)
		read_point(count);
	else if (strcmp(operation, "C_FindObjects") == 0)
		find_by_id(count);
	else if (strcmp(operation, "C_Initialize") == 0)
		initialize(count);
	else
		need(CKR_FUNCTION_NOT_SUPPORTED, operation);
	fflush(stdout);
}

static void start(const char *module, char *pin)
{
	void *library = dlopen(module, RTLD_NOW);
	CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;
	need(get ? get(&p11) : CKR_GENERAL_ERROR, "C_GetFunctionList");
	need(p11->C_Initialize(NULL), "C_Initialize");
	need(p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session), "C_OpenSession");
	need(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)), "C_Login");
}

int main(int argc, char **argv)
{
	char word[256];
	long count;
	if (argc != 2 || scanf("%255s", word) != 1)
		return 2;
	start(argv[1], word);
	while (scanf("%255s %ld", word, &count) == 2)
		run(word, count);
	need(p11->C_Finalize(NULL), "C_Finalize");
	return 0;
}
