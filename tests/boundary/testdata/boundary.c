/* SPDX-License-Identifier: Apache-2.0 */

/*
 * boundary MODULE TOPIC: what callers do wrong, and what they find in the lists.
 * Exit status 0 and no output is a pass.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11.h"

#define EXPECT(CALL, WANT) \
	do { \
		CK_RV got_ = (CALL); \
		if (got_ != (WANT)) { \
			printf("%s:%d: %s: 0x%lx, want 0x%lx\n", __FILE__, __LINE__, #CALL, got_, (CK_RV)(WANT)); \
			exit(1); \
		} \
	} while (0)
#define CHECK(CONDITION) EXPECT((CONDITION) ? CKR_OK : CKR_GENERAL_ERROR, CKR_OK)

#define HUGE_LENGTH ((CK_ULONG)-1)

static void *library;
static CK_FUNCTION_LIST_3_2 *F;
static CK_SESSION_HANDLE h;

/* A host or another library may have functions of these names: nobody must call them. */
CK_RV C_Sign(CK_SESSION_HANDLE s, CK_BYTE_PTR d, CK_ULONG n, CK_BYTE_PTR sig, CK_ULONG_PTR ns)
{
	(void)s, (void)d, (void)n, (void)sig, (void)ns;
	abort();
}

static CK_C_GetInterface get_interface(void) { return (CK_C_GetInterface)dlsym(library, "C_GetInterface"); }
static CK_C_GetInterfaceList get_list(void) { return (CK_C_GetInterfaceList)dlsym(library, "C_GetInterfaceList"); }

static CK_INTERFACE *interface(const char *name, int major, int minor, CK_FLAGS flags)
{
	CK_VERSION v = {major, minor};
	CK_INTERFACE *i = NULL;
	EXPECT(get_interface()((CK_UTF8CHAR *)name, major ? &v : NULL, &i, flags), CKR_OK);
	return i;
}

static void begin(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	EXPECT(F->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h), CKR_OK);
}

/* ---- lists and interfaces ---------------------------------------------------------------------- */

/* Every pointer of a list is set, and points into the module. */
static void complete(const void *list, size_t size)
{
	Dl_info self, found;
	CHECK(dladdr(dlsym(library, "C_GetFunctionList"), &self));
	for (size_t at = sizeof(void *); at < size; at += sizeof(void *)) {
		void *function;
		memcpy(&function, (const char *)list + at, sizeof function);
		CHECK(function != NULL);
		CHECK(dladdr(function, &found) && found.dli_fbase == self.dli_fbase);
	}
}

static void lists(void)
{
	CK_FUNCTION_LIST *old;
	CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
	EXPECT(get(NULL), CKR_ARGUMENTS_BAD);
	EXPECT(get(&old), CKR_OK);
	CHECK(old->version.major == 2 && old->version.minor == 40);
	complete(old, sizeof *old);
	complete(interface("PKCS 11", 3, 0, 0)->pFunctionList, sizeof(CK_FUNCTION_LIST_3_0));
	complete(interface("PKCS 11", 3, 2, 0)->pFunctionList, sizeof(CK_FUNCTION_LIST_3_2));
}

static void interface_list(void)
{
	CK_INTERFACE list[8];
	CK_ULONG n = 77, m;
	EXPECT(get_list()(list, NULL), CKR_ARGUMENTS_BAD);
	EXPECT(get_list()(NULL, &n), CKR_OK);
	CHECK(n == 3);
	m = n - 1;
	EXPECT(get_list()(list, &m), CKR_BUFFER_TOO_SMALL);
	CHECK(m == n);
	EXPECT(get_list()(list, &m), CKR_OK);
	for (CK_ULONG i = 0; i < n; i++) {
		const CK_VERSION *v = list[i].pFunctionList;
		CHECK(interface("PKCS 11", v->major, v->minor, 0)->pFunctionList == list[i].pFunctionList);
	}
}

static void interfaces(void)
{
	CK_INTERFACE *i = NULL;
	CK_VERSION other = {3, 1};
	interface_list();
	CK_VERSION *newest = interface(NULL, 0, 0, 0)->pFunctionList;
	CHECK(newest->major == 3 && newest->minor == 2);
	CHECK(interface("PKCS 11", 0, 0, 0)->pFunctionList == (void *)newest);
	CHECK(interface("PKCS 11", 2, 40, 0)->pFunctionList != (void *)newest);
	EXPECT(get_interface()(NULL, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
	EXPECT(get_interface()((CK_UTF8CHAR *)"PKCS 11", &other, &i, 0), CKR_ARGUMENTS_BAD);
	EXPECT(get_interface()((CK_UTF8CHAR *)"PKCS 11", NULL, &i, CKF_INTERFACE_FORK_SAFE), CKR_ARGUMENTS_BAD);
	EXPECT(get_interface()((CK_UTF8CHAR *)"PKCS 1", NULL, &i, 0), CKR_ARGUMENTS_BAD);
	EXPECT(get_interface()((CK_UTF8CHAR *)"PKCS 11", NULL, &i, 1UL << 20), CKR_ARGUMENTS_BAD);
	CHECK(i == NULL);
}

/* ---- C_Initialize, C_Finalize ------------------------------------------------------------------ */

static CK_RV create(CK_VOID_PTR *m) { (void)m; return CKR_GENERAL_ERROR; }
static CK_RV use(CK_VOID_PTR m) { (void)m; return CKR_GENERAL_ERROR; }

static void initialize(void)
{
	CK_INFO info;
	CK_C_INITIALIZE_ARGS all = {create, use, use, use, 0, NULL}, a;
	EXPECT(F->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_Sign(1, NULL, 0, NULL, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_AsyncJoin(1, NULL, 0, NULL, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_GetFunctionStatus(1), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_Initialize(&all), CKR_CANT_LOCK);
	a = all, a.flags = CKF_OS_LOCKING_OK, a.UnlockMutex = NULL;
	EXPECT(F->C_Initialize(&a), CKR_ARGUMENTS_BAD);
	a = all, a.flags = CKF_OS_LOCKING_OK, a.pReserved = &a;
	EXPECT(F->C_Initialize(&a), CKR_ARGUMENTS_BAD);
	a = (CK_C_INITIALIZE_ARGS){.flags = CKF_LIBRARY_CANT_CREATE_OS_THREADS};
	EXPECT(F->C_Initialize(&a), CKR_NEED_TO_CREATE_THREADS);
	a.flags |= CKF_OS_LOCKING_OK; /* as GnuTLS and NSS say it */
	EXPECT(F->C_Initialize(&a), CKR_OK);
	EXPECT(F->C_Finalize(NULL), CKR_OK);
	a = all, a.flags = CKF_OS_LOCKING_OK;
	EXPECT(F->C_Initialize(&a), CKR_OK);
	EXPECT(F->C_Initialize(&a), CKR_CRYPTOKI_ALREADY_INITIALIZED);
	EXPECT(F->C_AsyncJoin(1, NULL, 0, NULL, 0), CKR_FUNCTION_NOT_SUPPORTED);
	EXPECT(F->C_GetFunctionStatus(1), CKR_FUNCTION_NOT_PARALLEL);
	EXPECT(F->C_CancelFunction(1), CKR_FUNCTION_NOT_PARALLEL);
	EXPECT(F->C_Finalize(&a), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_Finalize(NULL), CKR_OK);
	EXPECT(F->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
}

/* ---- arguments --------------------------------------------------------------------------------- */

static void nulls(void)
{
	CK_BYTE data[32] = {0};
	CK_ULONG n = sizeof data;
	CK_ATTRIBUTE a = {CKA_LABEL, NULL, 5};
	begin();
	EXPECT(F->C_GetInfo(NULL), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_GetSlotList(CK_FALSE, NULL, NULL), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_GetSlotInfo(0, NULL), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_GetTokenInfo(0, NULL), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_GetMechanismList(0, NULL, NULL), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_GetMechanismInfo(0, CKM_ECDSA, NULL), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, NULL), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_GetSessionInfo(h, NULL), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_InitToken(0, data, sizeof data, NULL), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_WaitForSlotEvent(CKF_DONT_BLOCK, &n, data), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_CreateObject(h, NULL, 1, &n), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_CreateObject(h, &a, 1, &n), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_FindObjectsInit(h, NULL, 1), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_FindObjectsInit(h, &a, 1), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_FindObjectsInit(h, NULL, 0), CKR_OK);
	EXPECT(F->C_FindObjects(h, NULL, 1, &n), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_FindObjects(h, &n, 1, NULL), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_FindObjectsFinal(h), CKR_OK);
	EXPECT(F->C_GenerateRandom(h, NULL, 1), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_SeedRandom(h, NULL, 1), CKR_ARGUMENTS_BAD);
}

static void lengths(void)
{
	CK_BYTE data[32] = {0};
	CK_ULONG n;
	CK_ATTRIBUTE a = {CKA_LABEL, data, HUGE_LENGTH};
	begin();
	EXPECT(F->C_GenerateRandom(h, data, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_GenerateRandom(h, data, HUGE_LENGTH / 2), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_Login(h, CKU_USER, data, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_FindObjectsInit(h, &a, 1), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_FindObjectsInit(h, &a, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_FindObjectsInit(h, &a, HUGE_LENGTH / sizeof a + 2), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_FindObjectsInit(h, NULL, 0), CKR_OK);
	EXPECT(F->C_FindObjects(h, &n, 0, &n), CKR_OK);
	EXPECT(F->C_FindObjectsFinal(h), CKR_OK);
}

/* A refused argument ends the operation like any other failure. */
static void operations(void)
{
	CK_MECHANISM sha = {CKM_SHA256, NULL, 0}, bad = {CKM_SHA256, NULL, 4};
	CK_BYTE data[32] = {0}, digest[32];
	CK_ULONG n = HUGE_LENGTH;
	begin();
	EXPECT(F->C_DigestInit(h, &bad), CKR_MECHANISM_PARAM_INVALID);
	EXPECT(F->C_DigestInit(h, &sha), CKR_OK);
	EXPECT(F->C_Digest(h, NULL, 32, digest, &n), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_Digest(h, data, 32, digest, &n), CKR_OPERATION_NOT_INITIALIZED);
	EXPECT(F->C_DigestInit(h, &sha), CKR_OK);
	EXPECT(F->C_DigestUpdate(h, data, HUGE_LENGTH), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_DigestFinal(h, digest, &n), CKR_OPERATION_NOT_INITIALIZED);
	EXPECT(F->C_DigestInit(h, &sha), CKR_OK);
	EXPECT(F->C_Digest(h, data, 32, digest, NULL), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_Digest(h, data, 32, digest, &n), CKR_OPERATION_NOT_INITIALIZED);
	EXPECT(F->C_DigestInit(h, &sha), CKR_OK);
	EXPECT(F->C_DigestInit(h, NULL), CKR_OK); /* cancels */
	EXPECT(F->C_DigestInit(h, &sha), CKR_OK);
	EXPECT(F->C_Digest(h, NULL, 0, NULL, &n), CKR_OK);
	CHECK(n == 32);
	n = HUGE_LENGTH; /* a buffer as long as can be is only a promise */
	EXPECT(F->C_Digest(h, NULL, 0, digest, &n), CKR_OK);
	CHECK(n == 32 && digest[0] == 0xe3 && digest[31] == 0x55);
}

/* Pointers that lead nowhere are the caller's mistake, and not the host's end. */
static void wild_pointers(void)
{
	CK_ULONG n = 64;
	CK_MECHANISM sha = {CKM_SHA256, NULL, 0};
	CK_BYTE digest[32];
	begin();
	EXPECT(F->C_GetInfo((CK_INFO_PTR)64), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_GetSlotList(CK_FALSE, NULL, (CK_ULONG_PTR)0x7fff0000), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_DigestInit(h, (CK_MECHANISM_PTR)64), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_FindObjectsInit(h, (CK_ATTRIBUTE_PTR)64, 1), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_DigestInit(h, &sha), CKR_OK);
	EXPECT(F->C_Digest(h, (CK_BYTE_PTR)0x7fff0000, n, digest, &n), CKR_ARGUMENTS_BAD);
	EXPECT(F->C_CloseSession(h), CKR_OK); /* no lock was left behind */
	EXPECT(F->C_Finalize(NULL), CKR_OK);
}

/* What has no bytes may be anywhere: an empty vector of Rust is at 1, or at another small number. */
static void empty(void)
{
	CK_BYTE digest[32], *nowhere = (CK_BYTE *)1;
	CK_ULONG n = sizeof digest;
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_OBJECT_HANDLE o;
	CK_MECHANISM sha = {CKM_SHA256, nowhere, 0};
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_VALUE, nowhere, 0}}, label = {CKA_LABEL, nowhere, 0};
	begin();
	EXPECT(F->C_DigestInit(h, &sha), CKR_OK);
	EXPECT(F->C_Digest(h, nowhere, 0, digest, &n), CKR_OK);
	EXPECT(F->C_DigestInit(h, &sha), CKR_OK);
	EXPECT(F->C_DigestUpdate(h, nowhere, 0), CKR_OK);
	n = 0;
	EXPECT(F->C_DigestFinal(h, nowhere, &n), CKR_BUFFER_TOO_SMALL);
	EXPECT(n == 32 ? CKR_OK : CKR_GENERAL_ERROR, CKR_OK);
	n = sizeof digest;
	EXPECT(F->C_DigestFinal(h, digest, &n), CKR_OK);
	EXPECT(F->C_CreateObject(h, t, 2, &o), CKR_OK);
	EXPECT(F->C_SetAttributeValue(h, o, &label, 1), CKR_OK);
	EXPECT(F->C_SetAttributeValue(h, o, (CK_ATTRIBUTE *)8, 0), CKR_OK);
	EXPECT(F->C_FindObjectsInit(h, (CK_ATTRIBUTE *)8, 0), CKR_OK);
	EXPECT(F->C_FindObjects(h, (CK_OBJECT_HANDLE *)8, 0, &n), CKR_OK);
	EXPECT(F->C_FindObjectsFinal(h), CKR_OK);
	EXPECT(F->C_SeedRandom(h, nowhere, 0), CKR_OK);
	EXPECT(F->C_GenerateRandom(h, nowhere, 0), CKR_OK);
	EXPECT(F->C_Finalize(NULL), CKR_OK);
}

/* They are read by the first call that needs them, and every call says the same of them. */
static void broken_settings(void)
{
	CK_ULONG n;
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	EXPECT(F->C_GetSlotList(CK_FALSE, NULL, &n), CKR_GENERAL_ERROR);
	EXPECT(F->C_GetSlotList(CK_FALSE, NULL, &n), CKR_GENERAL_ERROR);
	EXPECT(F->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &n), CKR_GENERAL_ERROR);
}

/* The module sees what the host sets after it was loaded. */
static void host_environment(void)
{
	CK_ULONG n;
	setenv("ZK_PKCS11_BACKEND", "none of them", 1);
	broken_settings();
	EXPECT(F->C_Finalize(NULL), CKR_OK);
	setenv("ZK_PKCS11_BACKEND", "soft", 1);
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	EXPECT(F->C_GetSlotList(CK_FALSE, NULL, &n), CKR_OK);
}

static void token(void)
{
	CK_BYTE label[32], so[] = "so-canary-8472", user[] = "user-canary-3391";
	memset(label, ' ', sizeof label);
	begin();
	EXPECT(F->C_CloseSession(h), CKR_OK);
	EXPECT(F->C_InitToken(0, so, sizeof so - 1, label), CKR_OK);
	EXPECT(F->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h), CKR_OK);
	EXPECT(F->C_Login(h, CKU_SO, so, sizeof so - 1), CKR_OK);
	EXPECT(F->C_InitPIN(h, user, sizeof user - 1), CKR_OK);
	EXPECT(F->C_SetPIN(h, so, sizeof so - 1, so, sizeof so - 1), CKR_OK);
	EXPECT(F->C_Logout(h), CKR_OK);
	EXPECT(F->C_Login(h, CKU_USER, user, sizeof user - 2), CKR_PIN_INCORRECT);
	EXPECT(F->C_Login(h, CKU_USER, user, sizeof user - 1), CKR_OK);
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE a[] = {{CKA_CLASS, &class, sizeof class}, {CKA_VALUE, user, sizeof user - 1}};
	EXPECT(F->C_CreateObject(h, a, 2, &class), CKR_OK);
	EXPECT(F->C_Finalize(NULL), CKR_OK);
}

static const struct {
	const char *name;
	void (*run)(void);
} topics[] = {
	{"lists", lists}, {"interfaces", interfaces}, {"initialize", initialize}, {"nulls", nulls}, {"lengths", lengths},
	{"operations", operations}, {"wild-pointers", wild_pointers}, {"empty", empty}, {"host-environment", host_environment},
	{"broken-settings", broken_settings}, {"token", token},
};

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		printf("%s\n", dlerror());
		return 1;
	}
	F = interface("PKCS 11", 3, 2, 0)->pFunctionList;
	for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
		if (strcmp(argv[2], topics[i].name) == 0) {
			topics[i].run();
			return 0;
		}
	}
	printf("no topic %s\n", argv[2]);
	return 2;
}
