/* SPDX-License-Identifier: Apache-2.0 */

/* What the hosts share whose children go on with what their parent has. */
#ifndef CHILDREN_H
#define CHILDREN_H

#include <time.h>

#include "host.h"

enum { ED25519_SLOT = 14 };

UNUSED static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Finds half of the key pair in a permanent key slot. */
UNUSED static CK_OBJECT_HANDLE in_slot(CK_SESSION_HANDLE h, CK_BYTE slot, CK_OBJECT_CLASS class)
{
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, &slot, 1}};
	CK_OBJECT_HANDLE object = 0;
	CK_ULONG n = 0;
	MUST(F->C_FindObjectsInit(h, t, 2));
	MUST(F->C_FindObjects(h, &object, 1, &n));
	MUST(F->C_FindObjectsFinal(h));
	CHECK(n == 1);
	return object;
}

UNUSED static CK_RV sign_eddsa(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE key, const char *message, CK_BYTE signature[64])
{
	CK_MECHANISM m = {CKM_EDDSA, NULL, 0};
	CK_ULONG n = 64;
	CK_RV rv = F->C_SignInit(h, &m, key);
	return rv != CKR_OK ? rv : F->C_Sign(h, (CK_BYTE *)message, strlen(message), signature, &n);
}

UNUSED static CK_STATE state(CK_SESSION_HANDLE h)
{
	CK_SESSION_INFO info;
	MUST(F->C_GetSessionInfo(h, &info));
	return info.state;
}

UNUSED static CK_RV is_session(CK_SESSION_HANDLE h)
{
	CK_SESSION_INFO info;
	return F->C_GetSessionInfo(h, &info);
}

/* Prints in one piece, so that what several processes print does not mix. */
UNUSED static void print_hex(const char *what, const CK_BYTE *bytes, CK_ULONG n)
{
	char line[512];
	int at = snprintf(line, sizeof line, "%s ", what);
	for (CK_ULONG i = 0; i < n; i++)
		at += snprintf(line + at, sizeof line - at, "%02x", bytes[i]);
	line[at++] = '\n';
	CHECK(write(1, line, at) == at);
}

#endif
