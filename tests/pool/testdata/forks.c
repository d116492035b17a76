/* SPDX-License-Identifier: Apache-2.0 */

/* forks MODULE PIN LABEL WAY: a parent and its children sign with a key of the token. With the way "inherit"
 * children go on with the parent's session, else they begin anew. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkcs11.h"

enum { CHILDREN = 4, SIGNATURES = 15 };

static CK_FUNCTION_LIST *F;
static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE private_key, public_key;

#define OK(call)                                                                                                        \
	do {                                                                                                           \
		CK_RV rv = (call);                                                                                     \
		if (rv != CKR_OK) {                                                                                    \
			fprintf(stderr, "%s: 0x%lx\n", #call, (unsigned long)rv);                                       \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

static CK_OBJECT_HANDLE find(CK_OBJECT_CLASS class, char *label)
{
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, label, strlen(label)}};
	CK_OBJECT_HANDLE found = 0;
	CK_ULONG count = 0;
	OK(F->C_FindObjectsInit(session, template, 2));
	OK(F->C_FindObjects(session, &found, 1, &count));
	OK(F->C_FindObjectsFinal(session));
	if (count != 1)
		exit(2);
	return found;
}

static void begin(char *pin, char *label)
{
	OK(F->C_Initialize(NULL));
	OK(F->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session));
	OK(F->C_Login(session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)));
	private_key = find(CKO_PRIVATE_KEY, label);
	public_key = find(CKO_PUBLIC_KEY, label);
}

static void sign(void)
{
	CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
	for (int i = 0; i < SIGNATURES; i++) {
		CK_BYTE digest[32] = {(CK_BYTE)i}, signature[64];
		CK_ULONG size = sizeof signature;
		OK(F->C_SignInit(session, &ecdsa, private_key));
		OK(F->C_Sign(session, digest, sizeof digest, signature, &size));
		OK(F->C_VerifyInit(session, &ecdsa, public_key));
		OK(F->C_Verify(session, digest, sizeof digest, signature, size));
	}
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	void *module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (!module)
		return 2;
	OK(((CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList"))(&F));
	begin(argv[2], argv[3]);
	sign();
	for (int i = 0; i < CHILDREN; i++) {
		if (fork())
			continue;
		if (strcmp(argv[4], "inherit") != 0)
			begin(argv[2], argv[3]);
		sign();
		_exit(0);
	}
	sign();
	int failed = 0, status;
	while (wait(&status) > 0)
		failed += status != 0;
	sign();
	printf("%d children failed\n", failed);
	return failed != 0;
}
