/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A PKCS #11 module with one token that hangs, crashes, or tells lengths that are not so.
 */
#include "pkcs11.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static CK_FUNCTION_LIST list;

static CK_RV fine(void) { return CKR_OK; }

static CK_RV slots(CK_BBOOL present, CK_SLOT_ID_PTR ids, CK_ULONG_PTR n)
{
	(void)present;
	*n = 1;
	if (ids)
		ids[0] = 0;
	return CKR_OK;
}

static CK_RV token(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
	(void)slot;
	memset(info, ' ', sizeof *info);
	info->flags = CKF_TOKEN_INITIALIZED;
	return CKR_OK;
}

static CK_RV session(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR p, CK_NOTIFY notify, CK_SESSION_HANDLE_PTR h)
{
	(void)slot, (void)flags, (void)p, (void)notify;
	*h = 1;
#ifdef BAD_hangs
	for (;;)
		pause();
#endif
#ifdef BAD_crashes
	abort();
#endif
	return CKR_OK;
}

static CK_RV found(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE_PTR o, CK_ULONG most, CK_ULONG_PTR n)
{
	(void)h, (void)o;
	*n = most + 1000000; /* more than there is room for */
	return CKR_OK;
}

static CK_RV attributes(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_PTR a, CK_ULONG n)
{
	(void)h, (void)o;
	for (CK_ULONG i = 0; i < n; i++)
		a[i].ulValueLen = (CK_ULONG)1 << 40;
	return CKR_OK;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR to)
{
	void **all = (void **)((char *)&list + sizeof(void *));
	for (size_t i = 0; i < sizeof list / sizeof(void *) - 1; i++)
		all[i] = (void *)fine;
	list.version.major = 2;
	list.version.minor = 40;
	list.C_GetSlotList = slots;
	list.C_GetTokenInfo = token;
	list.C_OpenSession = session;
	list.C_FindObjects = found;
	list.C_GetAttributeValue = attributes;
	*to = &list;
	return CKR_OK;
}
