/* SPDX-License-Identifier: Apache-2.0 */

/*
 * sealed MODULE: makes a token of the module ready, with keys that no key slot can hold. Each line of the standard input,
 * "OPERATION COUNT", runs an operation so often and is answered by the nanoseconds that all of them took.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pkcs11.h"

enum { PIN = 8, KIB = 1024 };

static CK_FUNCTION_LIST *p11;
static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE rsa, rsa_public, aes, secret;
static CK_UTF8CHAR user_pin[] = "12345678", so_pin[] = "87654321", label[33] = "sealed                          ";
static CK_BYTE message[KIB] = "again and again";
static CK_BBOOL yes = CK_TRUE;

static void need(CK_RV rv, const char *what)
{
	if (rv == CKR_OK)
		return;
	fprintf(stderr, "%s: 0x%lx\n", what, rv);
	exit(1);
}

#define NEED(CALL) need(p11->CALL, #CALL)

/* A module may give the token another slot once it is initialised. */
static void start(const char *module)
{
	CK_SLOT_ID slots[16], slot = 0;
	CK_ULONG n = 16;
	void *library = dlopen(module, RTLD_NOW);
	CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;
	need(get ? get(&p11) : CKR_GENERAL_ERROR, "C_GetFunctionList");
	NEED(C_Initialize(NULL));
	NEED(C_GetSlotList(CK_TRUE, slots, &n));
	NEED(C_InitToken(slots[0], so_pin, PIN, label));
	n = 16;
	NEED(C_GetSlotList(CK_TRUE, slots, &n));
	for (CK_ULONG i = 0; i < n; i++) {
		CK_TOKEN_INFO info;
		NEED(C_GetTokenInfo(slots[i], &info));
		if (!memcmp(info.label, label, sizeof info.label))
			slot = slots[i];
	}
	NEED(C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
	NEED(C_Login(session, CKU_SO, so_pin, PIN));
	NEED(C_InitPIN(session, user_pin, PIN));
	NEED(C_Logout(session));
	NEED(C_Login(session, CKU_USER, user_pin, PIN));
}

/* The keys are token objects, as those of servers. */
static void make_keys(void)
{
	static CK_ULONG bits = 2048, size = 32;
	static CK_BYTE exponent[] = {1, 0, 1};
	static CK_KEY_TYPE generic = CKK_GENERIC_SECRET;
	CK_MECHANISM pair = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0}, one = {CKM_AES_KEY_GEN, NULL, 0}, other = {CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE public[] = {{CKA_MODULUS_BITS, &bits, sizeof bits}, {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent}, {CKA_VERIFY, &yes, 1}};
	CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, 1}, {CKA_SIGN, &yes, 1}, {CKA_PRIVATE, &yes, 1}};
	CK_ATTRIBUTE cipher[] = {{CKA_TOKEN, &yes, 1}, {CKA_VALUE_LEN, &size, sizeof size}, {CKA_ENCRYPT, &yes, 1}, {CKA_PRIVATE, &yes, 1}};
	CK_ATTRIBUTE code[] = {{CKA_TOKEN, &yes, 1}, {CKA_VALUE_LEN, &size, sizeof size}, {CKA_SIGN, &yes, 1}, {CKA_PRIVATE, &yes, 1},
		{CKA_KEY_TYPE, &generic, sizeof generic}};
	NEED(C_GenerateKeyPair(session, &pair, public, 3, private, 3, &rsa_public, &rsa));
	NEED(C_GenerateKey(session, &one, cipher, 4, &aes));
	NEED(C_GenerateKey(session, &other, code, 5, &secret));
}

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static CK_BYTE out[KIB + 64];
static CK_ULONG n;

static void sign(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM m = {type, NULL, 0};
	NEED(C_SignInit(session, &m, key));
	n = sizeof out;
	NEED(C_Sign(session, message, sizeof message, out, &n));
}

static void encrypt(void)
{
	static CK_BYTE iv[12];
	CK_GCM_PARAMS p = {iv, sizeof iv, 96, NULL, 0, 128};
	CK_MECHANISM m = {CKM_AES_GCM, &p, sizeof p};
	NEED(C_EncryptInit(session, &m, aes));
	n = sizeof out;
	NEED(C_Encrypt(session, message, sizeof message, out, &n));
}

static void run(const char *operation)
{
	if (!strcmp(operation, "RSA-2048"))
		sign(CKM_SHA256_RSA_PKCS, rsa);
	else if (!strcmp(operation, "AES-GCM"))
		encrypt();
	else if (!strcmp(operation, "HMAC-SHA256"))
		sign(CKM_SHA256_HMAC, secret);
	else
		need(CKR_FUNCTION_NOT_SUPPORTED, operation);
}

/* The last RSA signature must be right. */
static void check(void)
{
	CK_MECHANISM m = {CKM_SHA256_RSA_PKCS, NULL, 0};
	NEED(C_VerifyInit(session, &m, rsa_public));
	NEED(C_Verify(session, message, sizeof message, out, n));
}

int main(int argc, char **argv)
{
	char operation[64];
	long count;
	if (argc != 2)
		return 2;
	start(argv[1]);
	make_keys();
	while (scanf("%63s %ld", operation, &count) == 2) {
		long long before = now();
		for (long i = 0; i < count; i++)
			run(operation);
		printf("%lld\n", now() - before);
		fflush(stdout);
		if (!strcmp(operation, "RSA-2048"))
			check();
	}
	NEED(C_Finalize(NULL));
	return 0;
}
