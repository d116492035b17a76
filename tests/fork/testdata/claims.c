/* SPDX-License-Identifier: Apache-2.0 */

/*
 * claims MODULE SCENARIO: prints whether the interfaces claim CKF_INTERFACE_FORK_SAFE
 * before C_Initialize, what that answers or the call after it, and what they claim then.
 */
#include "host.h"

static CK_C_GetInterface get_interface;
static CK_C_GetInterfaceList get_list;

/* All of them, or none; both functions say the same. */
static int claimed(void)
{
	CK_INTERFACE list[8], *one = NULL;
	CK_ULONG n = 8, with = 0;
	MUST(get_list(list, &n));
	for (CK_ULONG i = 0; i < n; i++)
		with += (list[i].flags & CKF_INTERFACE_FORK_SAFE) != 0;
	CHECK(n == 3 && (with == 0 || with == n));
	for (CK_ULONG i = 0; i < n; i++)
		EXPECT(get_interface(list[i].pInterfaceName, list[i].pFunctionList, &one, CKF_INTERFACE_FORK_SAFE),
			with ? CKR_OK : CKR_ARGUMENTS_BAD);
	MUST(get_interface((CK_UTF8CHAR *)"PKCS 11", NULL, &one, 0));
	CHECK(((one->flags & CKF_INTERFACE_FORK_SAFE) != 0) == (with != 0));
	return with != 0;
}

static void print_claims(void)
{
	int before = claimed();
	CK_ULONG n = 0;
	CK_RV rv = F->C_Initialize(NULL);
	if (rv == CKR_OK)
		rv = F->C_GetSlotList(CK_FALSE, NULL, &n); /* the first call that needs the settings */
	printf("%d 0x%lx %d\n", before, rv, claimed());
}

/* A child claims what its parent did, wherever the settings are by then. */
static void child_claims(void)
{
	CHECK(claimed());
	MUST(F->C_Finalize(NULL));
}

static void handed_down(void)
{
	MUST(F->C_Initialize(NULL));
	CHECK(claimed());
	unsetenv("ZK_PKCS11_FORK");
	in_child(child_claims);
	CHECK(claimed());
	MUST(F->C_Finalize(NULL));
	CHECK(!claimed());
	MUST(F->C_Initialize(NULL));
	CHECK(!claimed());
}

static void find_functions(void)
{
	void *library = dlopen(module, RTLD_NOW | RTLD_NOLOAD);
	get_interface = (CK_C_GetInterface)dlsym(library, "C_GetInterface");
	get_list = (CK_C_GetInterfaceList)dlsym(library, "C_GetInterfaceList");
	CHECK(get_interface && get_list);
}

static void print(void) { find_functions(); print_claims(); }
static void down(void) { find_functions(); handed_down(); }

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"print", print}, {"handed-down", down}};
	alarm(60);
	return RUN_ONE(argc, argv, all);
}
