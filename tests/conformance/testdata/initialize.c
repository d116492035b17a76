/* SPDX-License-Identifier: Apache-2.0 */

/* C_Initialize and C_Finalize (5.4.1, 5.4.2), and every function without them. */
#include "check.h"

static CK_RV create(CK_VOID_PTR_PTR m) { return m ? CKR_OK : CKR_ARGUMENTS_BAD; }
static CK_RV destroy(CK_VOID_PTR m) { return m ? CKR_OK : CKR_MUTEX_BAD; }
static CK_RV lock(CK_VOID_PTR m) { return m ? CKR_OK : CKR_MUTEX_BAD; }

static void refused(const char *what, CK_C_INITIALIZE_ARGS a, CK_RV want)
{
	CK_INFO i;
	RV(what, f->C_Initialize(&a), want);
	RV("refused arguments initialise nothing", f->C_GetInfo(&i), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void accepted(const char *what, CK_C_INITIALIZE_ARGS_PTR a)
{
	RV(what, f->C_Initialize(a), CKR_OK);
	RV("C_Initialize twice", f->C_Initialize(a), CKR_CRYPTOKI_ALREADY_INITIALIZED);
	RV("C_Finalize with an argument", f->C_Finalize(&a), CKR_ARGUMENTS_BAD);
	RV("C_Finalize", f->C_Finalize(NULL), CKR_OK);
	RV("C_Finalize twice", f->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void arguments(void)
{
	CK_C_INITIALIZE_ARGS none = {0}, os = {.flags = CKF_OS_LOCKING_OK};
	CK_C_INITIALIZE_ARGS both = {create, destroy, lock, lock, CKF_OS_LOCKING_OK, NULL};
	accepted("NULL", NULL);
	accepted("no mutex functions, no flags", &none);
	accepted("no mutex functions, locks of the system", &os);
	accepted("mutex functions, or locks of the system", &both);
	refused("mutex functions only", (CK_C_INITIALIZE_ARGS){create, destroy, lock, lock, 0, NULL}, CKR_CANT_LOCK);
	refused("one mutex function", (CK_C_INITIALIZE_ARGS){.CreateMutex = create, .flags = CKF_OS_LOCKING_OK}, CKR_ARGUMENTS_BAD);
	refused("three mutex functions", (CK_C_INITIALIZE_ARGS){create, destroy, lock, NULL, CKF_OS_LOCKING_OK, NULL}, CKR_ARGUMENTS_BAD);
	refused("no threads", (CK_C_INITIALIZE_ARGS){.flags = CKF_LIBRARY_CANT_CREATE_OS_THREADS}, CKR_NEED_TO_CREATE_THREADS);
	refused("pReserved", (CK_C_INITIALIZE_ARGS){.flags = CKF_OS_LOCKING_OK, .pReserved = &none}, CKR_ARGUMENTS_BAD);
}

/*
 * Every function but those that are there before C_Initialize. The arguments
 * do not count: they are not looked at. All of them are integers or pointers,
 * ten at most, which the C calling conventions of Linux pass alike.
 */
typedef CK_RV (*any)(CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG);

#define CALL(NAME, PARAMETERS) \
	if (!always(#NAME)) \
		RV("C_" #NAME " without C_Initialize", ((any)(void (*)(void))f->C_##NAME)(0, 0, 0, 0, 0, 0, 0, 0, 0, 0), CKR_CRYPTOKI_NOT_INITIALIZED);

static int always(const char *name)
{
	return strcmp(name, "Initialize") == 0 || strncmp(name, "GetInterface", 12) == 0 || strcmp(name, "GetFunctionList") == 0;
}

static void everything(void)
{
	CK_FUNCTIONS_2_40(CALL)
	CK_FUNCTIONS_3_0(CALL)
	CK_FUNCTIONS_3_2(CALL)
}

/* afresh checks that nothing of the time before lives on. */
static void afresh(void)
{
	CK_SESSION_HANDLE s;
	CK_SESSION_INFO info;
	token();
	s = user_session();
	must(f->C_Finalize(NULL));
	must(f->C_Initialize(NULL));
	RV("C_Finalize closes sessions", f->C_GetSessionInfo(s, &info), CKR_SESSION_HANDLE_INVALID);
	s = session(CKF_RW_SESSION);
	must(f->C_GetSessionInfo(s, &info));
	IS("C_Finalize logs out", info.state == CKS_RW_PUBLIC_SESSION);
	must(f->C_Finalize(NULL));
}

int main(int argc, char **argv)
{
	load(argc, argv);
	everything();
	arguments();
	afresh();
	everything();
	return done();
}
