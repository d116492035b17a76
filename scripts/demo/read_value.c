/* SPDX-License-Identifier: Apache-2.0 */

/*
 * read_value MODULE LABEL, with the PIN on the standard input: logs in and asks
 * for CKA_VALUE of the private key with that label, as a thief who has the PIN
 * would. Prints the answer of the module; succeeds when the value is refused.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11.h"

static CK_FUNCTION_LIST *load(const char *path)
{
	CK_FUNCTION_LIST *p11 = NULL;
	void *library = dlopen(path, RTLD_NOW);
	CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;
	if (!get || get(&p11) != CKR_OK)
		return NULL;
	return p11;
}

static void need(CK_RV rv, const char *what)
{
	if (rv == CKR_OK)
		return;
	fprintf(stderr, "%s: 0x%lx\n", what, rv);
	exit(2);
}

static CK_SESSION_HANDLE login(CK_FUNCTION_LIST *p11)
{
	CK_SESSION_HANDLE session;
	char pin[256];
	if (!fgets(pin, sizeof pin, stdin))
		exit(2);
	pin[strcspn(pin, "\n")] = 0;
	need(p11->C_Initialize(NULL), "C_Initialize");
	need(p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session), "C_OpenSession");
	need(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)), "C_Login");
	return session;
}

static CK_OBJECT_HANDLE find(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, char *label)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_OBJECT_HANDLE key;
	CK_ULONG found = 0;
	CK_ATTRIBUTE wanted[] = {
		{CKA_CLASS, &class, sizeof class},
		{CKA_LABEL, label, strlen(label)},
	};
	need(p11->C_FindObjectsInit(session, wanted, 2), "C_FindObjectsInit");
	need(p11->C_FindObjects(session, &key, 1, &found), "C_FindObjects");
	need(p11->C_FindObjectsFinal(session), "C_FindObjectsFinal");
	need(found == 1 ? CKR_OK : CKR_OBJECT_HANDLE_INVALID, "private key");
	return key;
}

int main(int argc, char **argv)
{
	unsigned char value[256];
	CK_ATTRIBUTE secret = {CKA_VALUE, value, sizeof value};
	CK_FUNCTION_LIST *p11 = argc == 3 ? load(argv[1]) : NULL;
	if (!p11)
		return 2;
	CK_SESSION_HANDLE session = login(p11);
	CK_RV rv = p11->C_GetAttributeValue(session, find(p11, session, argv[2]), &secret, 1);
	int refused = rv == CKR_ATTRIBUTE_SENSITIVE && secret.ulValueLen == CK_UNAVAILABLE_INFORMATION;
	printf("C_GetAttributeValue(CKA_VALUE) = 0x%lx%s\n", rv, refused ? " CKR_ATTRIBUTE_SENSITIVE" : "");
	return refused ? 0 : 1;
}
