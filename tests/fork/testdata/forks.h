/* SPDX-License-Identifier: Apache-2.0 */

/* What the hosts of this folder share. Exit status 0 and no output is a pass. A child that hangs is killed by an alarm. */
#ifndef FORKS_H
#define FORKS_H

#include "host.h"

UNUSED static CK_ULONG slots(CK_FUNCTION_LIST *f)
{
	CK_ULONG n = 0;
	EXPECT(f->C_GetSlotList(CK_FALSE, NULL, &n), CKR_OK);
	return n;
}

UNUSED static void use(void)
{
	CK_SESSION_HANDLE h;
	EXPECT(F->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &h), CKR_OK);
	EXPECT(F->C_CloseSession(h), CKR_OK);
}

UNUSED static void start_and_use(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_OK);
	use();
}

UNUSED static void not_initialized(void)
{
	CK_ULONG n;
	CK_INFO info;
	EXPECT(F->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_GetSlotList(CK_FALSE, NULL, &n), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_SignRecover(1, NULL, 0, NULL, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_Finalize(&n), CKR_ARGUMENTS_BAD);
}

#endif
