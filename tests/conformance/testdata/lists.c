/* SPDX-License-Identifier: Apache-2.0 */

/* The lists of functions and the interfaces (5.4.4 to 5.4.6). */
#include "check.h"

#define COUNT_ONE(NAME, PARAMETERS) +1
enum {
	N_2_40 = 0 CK_FUNCTIONS_2_40(COUNT_ONE),
	N_3_0 = N_2_40 CK_FUNCTIONS_3_0(COUNT_ONE),
	N_3_2 = N_3_0 CK_FUNCTIONS_3_2(COUNT_ONE),
};

typedef CK_RV (*function)(void);

/* complete tells whether the n functions after the version are all there. */
static int complete(void *list, int n)
{
	function *functions = (function *)((char *)list + offsetof(CK_FUNCTION_LIST, C_Initialize));
	for (int i = 0; i < n; i++)
		if (!functions[i])
			return 0;
	return 1;
}

static int is_version(const void *list, int major, int minor)
{
	const CK_VERSION *v = list;
	return v->major == major && v->minor == minor;
}

static void function_list(void)
{
	CK_C_GetFunctionList get;
	CK_FUNCTION_LIST_PTR list = NULL;
	*(void **)&get = dlsym(library, "C_GetFunctionList");
	RV("C_GetFunctionList(NULL)", get(NULL), CKR_ARGUMENTS_BAD);
	RV("C_GetFunctionList", get(&list), CKR_OK);
	IS("C_GetFunctionList gives the version 2.40", is_version(list, 2, 40));
	IS("the list 2.40 has no NULL", complete(list, N_2_40));
	IS("the lists name themselves", list->C_GetFunctionList == get && f->C_GetFunctionList == get);
}

static void interface_list(void)
{
	static const struct { int major, minor, n; } want[] = {{3, 2, N_3_2}, {3, 0, N_3_0}, {2, 40, N_2_40}};
	CK_INTERFACE interfaces[8];
	CK_ULONG n = 0;
	RV("C_GetInterfaceList without a count", f->C_GetInterfaceList(NULL, NULL), CKR_ARGUMENTS_BAD);
	RV("C_GetInterfaceList with a list but no count", f->C_GetInterfaceList(interfaces, NULL), CKR_ARGUMENTS_BAD);
	RV("C_GetInterfaceList asks for the count", f->C_GetInterfaceList(NULL, &n), CKR_OK);
	IS("there are three interfaces", n == COUNT(want));
	n = 2;
	RV("C_GetInterfaceList with too little room", f->C_GetInterfaceList(interfaces, &n), CKR_BUFFER_TOO_SMALL);
	IS("it tells how much is needed", n == COUNT(want));
	n = COUNT(interfaces);
	RV("C_GetInterfaceList with room to spare", f->C_GetInterfaceList(interfaces, &n), CKR_OK);
	IS("it tells how many there are", n == COUNT(want));
	for (CK_ULONG i = 0; i < n; i++) {
		void *list = interfaces[i].pFunctionList;
		IS("the interface is called PKCS 11", strcmp((char *)interfaces[i].pInterfaceName, "PKCS 11") == 0);
		IS("the interface does not claim to be safe to fork", interfaces[i].flags == 0);
		IS("its version is the next older", is_version(list, want[i].major, want[i].minor));
		IS("its list has no NULL", complete(list, want[i].n));
	}
}

/* got asks for an interface and checks the answer; major 0 means none. */
static void got(const char *what, const char *name, CK_VERSION_PTR v, CK_FLAGS flags, int major, int minor)
{
	CK_INTERFACE_PTR interface = NULL;
	RV(what, f->C_GetInterface((CK_UTF8CHAR_PTR)name, v, &interface, flags), major ? CKR_OK : CKR_ARGUMENTS_BAD);
	if (major)
		IS(what, interface && is_version(interface->pFunctionList, major, minor));
}

static void one_interface(void)
{
	CK_VERSION v2_40 = {2, 40}, v3_0 = {3, 0}, v3_2 = {3, 2}, v3_1 = {3, 1}, v9 = {9, 9};
	RV("C_GetInterface without a place for it", f->C_GetInterface(NULL, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
	got("no name, no version: the newest", NULL, NULL, 0, 3, 2);
	got("the name alone: the newest", "PKCS 11", NULL, 0, 3, 2);
	got("version 2.40", "PKCS 11", &v2_40, 0, 2, 40);
	got("version 3.0", "PKCS 11", &v3_0, 0, 3, 0);
	got("version 3.2 without a name", NULL, &v3_2, 0, 3, 2);
	got("a version that there is not", "PKCS 11", &v3_1, 0, 0, 0);
	got("a version of the future", NULL, &v9, 0, 0, 0);
	got("an unknown name", "Vendor Unknown", NULL, 0, 0, 0);
	got("an empty name", "", NULL, 0, 0, 0);
	got("a longer name", "PKCS 11 and more", NULL, 0, 0, 0);
	got("the flag that it is safe to fork", "PKCS 11", NULL, CKF_INTERFACE_FORK_SAFE, 0, 0);
	got("an unknown flag", "PKCS 11", NULL, 1UL << 20, 0, 0);
}

/* SAME checks that a function of the list is the one that the file exports. */
#define SAME(NAME, PARAMETERS) \
	{ \
		CK_C_##NAME exported; \
		*(void **)&exported = dlsym(library, "C_" #NAME); \
		IS("C_" #NAME " is exported as in the list", exported == f->C_##NAME); \
	}

static void exported(void)
{
	CK_FUNCTIONS_2_40(SAME)
	CK_FUNCTIONS_3_0(SAME)
	CK_FUNCTIONS_3_2(SAME)
}

static void info(void)
{
	CK_INFO i;
	RV("C_GetInfo before C_Initialize", f->C_GetInfo(&i), CKR_CRYPTOKI_NOT_INITIALIZED);
	must(f->C_Initialize(NULL));
	RV("C_GetInfo(NULL)", f->C_GetInfo(NULL), CKR_ARGUMENTS_BAD);
	RV("C_GetInfo", f->C_GetInfo(&i), CKR_OK);
	IS("C_GetInfo tells the version of the newest list", is_version(&i.cryptokiVersion, 3, 2));
	IS("no flags are defined", i.flags == 0);
	IS("the manufacturer is padded with blanks", i.manufacturerID[31] == ' ' && !memchr(i.manufacturerID, 0, 32));
	IS("the description is padded with blanks", i.libraryDescription[31] == ' ' && !memchr(i.libraryDescription, 0, 32));
}

int main(int argc, char **argv)
{
	load(argc, argv);
	function_list();
	interface_list();
	one_interface();
	exported();
	info();
	return done();
}
