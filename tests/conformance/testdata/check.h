/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the programs of this folder share. Each is given the path of the module
 * and a home of its own, calls the functions of the module as the C compiler
 * sees them, and prints a line of the Test Anything Protocol for each check.
 */
#ifndef CHECK_H
#define CHECK_H 1

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zk_pkcs11.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HUGE_LENGTH ((CK_ULONG)-1 / 2)
#define UNAVAILABLE CK_UNAVAILABLE_INFORMATION

static CK_UTF8CHAR user_pin[] = "12345678", so_pin[] = "87654321";
enum { PIN = 8 }; /* the length of both */

static void *library;
static CK_FUNCTION_LIST_3_2 *f;
static int checks;

static void line(int ok, const char *what, const char *file, int number, const char *got)
{
	printf("%s %d - %s", ok ? "ok" : "not ok", ++checks, what);
	if (!ok)
		printf(" # %s:%d: %s", file, number, got);
	printf("\n");
	fflush(stdout);
}

static void check_rv(const char *what, CK_RV rv, CK_RV want, const char *file, int number)
{
	char got[64];
	snprintf(got, sizeof got, "CK_RV 0x%lx, want 0x%lx", rv, want);
	line(rv == want, what, file, number, got);
}

/* RV checks the result of a call, IS a condition. */
#define RV(WHAT, CALL, WANT) check_rv(WHAT, (CALL), (WANT), __FILE__, __LINE__)
#define IS(WHAT, CONDITION) line((CONDITION), WHAT, __FILE__, __LINE__, #CONDITION)

/* over_vendor tells whether the module reaches the SCM as it does the hardware. */
static inline int over_vendor(void)
{
	const char *backend = getenv("ZK_PKCS11_BACKEND");
	return backend && strcmp(backend, "zymbit") == 0;
}

/* must ends the program: without what it asks for there is nothing to check. */
#define must(CALL) \
	do { \
		CK_RV must_rv = (CALL); \
		if (must_rv != CKR_OK) { \
			printf("Bail out! %s:%d: %s: 0x%lx\n", __FILE__, __LINE__, #CALL, must_rv); \
			exit(1); \
		} \
	} while (0)

/* load opens the module and takes its newest list of functions. */
static inline void load(int argc, char **argv)
{
	CK_INTERFACE_PTR interface;
	CK_VERSION version = {3, 2};
	CK_C_GetInterface get;
	if (argc != 2 || !(library = dlopen(argv[1], RTLD_NOW))) {
		printf("Bail out! %s\n", argc == 2 ? dlerror() : "usage: program module");
		exit(1);
	}
	*(void **)&get = dlsym(library, "C_GetInterface");
	must(get((CK_UTF8CHAR_PTR)"PKCS 11", &version, &interface, 0));
	f = interface->pFunctionList;
}

/* token makes the token of slot 0 ready for use, with both PINs. */
static inline void token(void)
{
	CK_UTF8CHAR label[33] = "conformance                     ";
	CK_SESSION_HANDLE s;
	must(f->C_Initialize(NULL));
	must(f->C_InitToken(0, so_pin, PIN, label));
	must(f->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s));
	must(f->C_Login(s, CKU_SO, so_pin, PIN));
	must(f->C_InitPIN(s, user_pin, PIN));
	must(f->C_CloseSession(s));
}

static inline CK_SESSION_HANDLE session(CK_FLAGS flags)
{
	CK_SESSION_HANDLE s;
	must(f->C_OpenSession(0, CKF_SERIAL_SESSION | flags, NULL, NULL, &s));
	return s;
}

/* user_session logs the user in, too. */
static inline CK_SESSION_HANDLE user_session(void)
{
	CK_SESSION_HANDLE s = session(CKF_RW_SESSION);
	must(f->C_Login(s, CKU_USER, user_pin, PIN));
	return s;
}

/* find returns the first object with the attributes, or CK_INVALID_HANDLE. */
static inline CK_OBJECT_HANDLE find(CK_SESSION_HANDLE s, CK_ATTRIBUTE_PTR t, CK_ULONG n)
{
	CK_OBJECT_HANDLE o = CK_INVALID_HANDLE;
	CK_ULONG found;
	must(f->C_FindObjectsInit(s, t, n));
	must(f->C_FindObjects(s, &o, 1, &found));
	must(f->C_FindObjectsFinal(s));
	return o;
}

/* slot_key returns one half of the key pair in a key slot. */
static inline CK_OBJECT_HANDLE slot_key(CK_SESSION_HANDLE s, CK_OBJECT_CLASS class, CK_ULONG slot)
{
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ZK_SLOT, &slot, sizeof slot}};
	return find(s, t, COUNT(t));
}

static inline int done(void)
{
	printf("1..%d\n", checks);
	return 0;
}

#endif /* CHECK_H */
