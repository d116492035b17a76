/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The lists of functions and the interfaces that show them, all expanded from
 * the tables in pkcs11.h. The library is linked with -Bsymbolic, so that these
 * names never mean functions of a host or of another library.
 */
#include <string.h>

#include "copy.h"
#include "estate.h"
#include "probe.h"

#define POINTER(NAME, PARAMETERS) C_##NAME,

static CK_FUNCTION_LIST list_2_40 = {{2, 40}, CK_FUNCTIONS_2_40(POINTER)};
static CK_FUNCTION_LIST_3_0 list_3_0 = {{3, 0}, CK_FUNCTIONS_2_40(POINTER) CK_FUNCTIONS_3_0(POINTER)};
static CK_FUNCTION_LIST_3_2 list_3_2 = {{3, 2}, CK_FUNCTIONS_2_40(POINTER) CK_FUNCTIONS_3_0(POINTER) CK_FUNCTIONS_3_2(POINTER)};

/* The newest first: C_GetInterface answers with the first that fits. */
static CK_INTERFACE interfaces[] = {
	{(CK_UTF8CHAR *)"PKCS 11", &list_3_2, 0},
	{(CK_UTF8CHAR *)"PKCS 11", &list_3_0, 0},
	{(CK_UTF8CHAR *)"PKCS 11", &list_2_40, 0},
};
enum { INTERFACES = sizeof interfaces / sizeof interfaces[0] };

static zk_copy copy_list = {{2, 0}, zk_adopt, zk_estate_adopt, &list_3_2};
static CK_INTERFACE copy = {(CK_UTF8CHAR *)ZK_COPY_INTERFACE, &copy_list, 0};

/* CKF_INTERFACE_FORK_SAFE promises that children have what their parent has. */
static void claim(void)
{
	CK_FLAGS flags = zk_claims_fork() ? CKF_INTERFACE_FORK_SAFE : 0;
	for (int i = 0; i < INTERFACES; i++)
		__atomic_store_n(&interfaces[i].flags, flags, __ATOMIC_RELAXED);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
	if (!zk_writable(list, sizeof *list))
		return CKR_ARGUMENTS_BAD;
	*list = &list_2_40;
	return CKR_OK;
}

CK_RV C_GetInterfaceList(CK_INTERFACE_PTR list, CK_ULONG_PTR count)
{
	if (!zk_readable(count, sizeof *count))
		return CKR_ARGUMENTS_BAD;
	CK_ULONG room = *count;
	if (!zk_writable(count, sizeof *count))
		return CKR_ARGUMENTS_BAD;
	*count = INTERFACES;
	if (!list)
		return CKR_OK;
	if (room < INTERFACES)
		return CKR_BUFFER_TOO_SMALL;
	if (!zk_writable(list, sizeof interfaces))
		return CKR_ARGUMENTS_BAD;
	claim();
	memcpy(list, interfaces, sizeof interfaces);
	return CKR_OK;
}

static int matches(const CK_INTERFACE *i, const CK_UTF8CHAR *name, const CK_VERSION *version, CK_FLAGS flags)
{
	const CK_VERSION *v = i->pFunctionList; /* every list begins with its version */
	if (name && strcmp((const char *)name, (const char *)i->pInterfaceName) != 0)
		return 0;
	if (version && (version->major != v->major || version->minor != v->minor))
		return 0;
	return (flags & ~i->flags) == 0;
}

CK_RV C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version, CK_INTERFACE_PTR_PTR interface, CK_FLAGS flags)
{
	if (name && !zk_readable_string(name, sizeof ZK_COPY_INTERFACE))
		return CKR_ARGUMENTS_BAD;
	if (version && !zk_readable(version, sizeof *version))
		return CKR_ARGUMENTS_BAD;
	if (!zk_writable(interface, sizeof *interface))
		return CKR_ARGUMENTS_BAD;
	claim();
	for (int i = 0; i < INTERFACES; i++) {
		if (matches(&interfaces[i], name, version, flags)) {
			*interface = &interfaces[i];
			return CKR_OK;
		}
	}
	if (name && matches(&copy, name, version, flags)) {
		*interface = &copy;
		return CKR_OK;
	}
	return CKR_ARGUMENTS_BAD;
}
