/* SPDX-License-Identifier: Apache-2.0 */

/*
 * host MODULE ROUNDS [abort]: a program that uses every kind of secret, and keeps none of its own.
 * At each stage it prints the stage and the process that is in it, and waits for a line.
 * Secrets of the test are made at run time, in memory that is gone at the next stage; those
 * that the module makes are told to the test. With abort it ends where it is logged in, and leaves
 * a core file.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkcs11.h"
#include "zk_pkcs11.h"

enum { ARENA = 1 << 16 };

static CK_FUNCTION_LIST *F;
static CK_SESSION_HANDLE session;
static char *arena, *free_room;

#define CHECK(X) do { if (!(X)) { fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #X); _exit(1); } } while (0)
#define MUST(CALL) do { CK_RV rv_ = (CALL); if (rv_ != CKR_OK) { fprintf(stderr, "%s:%d: %s: 0x%lx\n", __FILE__, __LINE__, #CALL, rv_); _exit(1); } } while (0)

static void open_arena(void)
{
	arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(arena != MAP_FAILED);
	free_room = arena;
}

static void close_arena(void)
{
	memset(arena, 0, ARENA);
	munmap(arena, ARENA);
}

static void *room(size_t n)
{
	char *p = free_room;
	free_room += (n + 63) / 64 * 64;
	CHECK(free_room <= arena + ARENA);
	return p;
}

/* The secret of a name, as the test makes it, too. */
static void *secret(const char *name, int n)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	char *out = room(n);
	unsigned long h = 88172645463325252UL;
	for (; *name; name++)
		h = h * 1099511628211UL ^ (unsigned char)*name;
	for (int i = 0; i < n; i++) {
		h ^= h << 13;
		h ^= h >> 7;
		h ^= h << 17;
		out[i] = letters[(h >> 20) % 62];
	}
	return out;
}

static void tell(const char *name, const unsigned char *value, size_t n)
{
	char *line = room(2 * n + 64);
	int at = sprintf(line, "SECRET %s ", name);
	for (size_t i = 0; i < n; i++) {
		line[at++] = "0123456789abcdef"[value[i] >> 4];
		line[at++] = "0123456789abcdef"[value[i] & 15];
	}
	line[at++] = '\n';
	CHECK(write(1, line, at) == at);
}

__attribute__((noinline)) static void burn_stack(void)
{
	volatile char below[ARENA];
	memset((void *)below, 0, sizeof below);
}

static void stage(const char *name)
{
	char line[64], answer;
	burn_stack();
	int n = sprintf(line, "STAGE %s %d\n", name, (int)getpid());
	CHECK(write(1, line, n) == n);
	CHECK(read(0, &answer, 1) == 1);
}

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};

static void find(CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *found)
{
	CK_ULONG count = 0;
	MUST(F->C_FindObjectsInit(session, t, n));
	MUST(F->C_FindObjects(session, found, 1, &count));
	MUST(F->C_FindObjectsFinal(session));
	CHECK(count == 1);
}

static CK_OBJECT_HANDLE private_key(CK_ULONG slot)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_OBJECT_HANDLE found;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ZK_SLOT, &slot, sizeof slot}};
	find(t, 2, &found);
	return found;
}

static void sign(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key, int round)
{
	CK_MECHANISM m = {type, NULL, 0};
	CK_BYTE digest[32] = {round}, signature[64];
	CK_ULONG n = sizeof signature;
	MUST(F->C_SignInit(session, &m, key));
	MUST(F->C_Sign(session, digest, sizeof digest, signature, &n));
}

static void initialise(void)
{
	open_arena();
	MUST(F->C_InitToken(0, secret("SO-PIN", 24), 24, (CK_UTF8CHAR *)"memory                          "));
	close_arena();
	stage("C_InitToken");
	open_arena();
	MUST(F->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
	MUST(F->C_Login(session, CKU_SO, secret("SO-PIN", 24), 24));
	MUST(F->C_InitPIN(session, secret("first-PIN", 24), 24));
	close_arena();
	stage("C_InitPIN");
	open_arena();
	MUST(F->C_Logout(session));
	CHECK(F->C_Login(session, CKU_USER, secret("wrong-PIN", 24), 24) == CKR_PIN_INCORRECT);
	MUST(F->C_Login(session, CKU_USER, secret("first-PIN", 24), 24));
	MUST(F->C_SetPIN(session, secret("first-PIN", 24), 24, secret("PIN", 24), 24));
	close_arena();
	stage("C_SetPIN");
	open_arena();
	MUST(F->C_Logout(session));
	MUST(F->C_Login(session, CKU_USER, secret("PIN", 24), 24));
	close_arena();
}

static void store_data(int keep)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_OBJECT_HANDLE object, copy;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_TOKEN, &yes, 1}, {CKA_PRIVATE, &yes, 1},
		{CKA_LABEL, secret("label", 24), 24}, {CKA_VALUE, secret("data", 40), 40}};
	MUST(F->C_CreateObject(session, t, 5, &object));
	CK_ATTRIBUTE query = {CKA_VALUE, room(64), 64}, changed = {CKA_VALUE, secret("changed-data", 40), 40};
	MUST(F->C_GetAttributeValue(session, object, &query, 1));
	MUST(F->C_SetAttributeValue(session, object, &changed, 1));
	query.ulValueLen = 64;
	MUST(F->C_GetAttributeValue(session, object, &query, 1));
	find(&changed, 1, &copy);
	CHECK(copy == object);
	MUST(F->C_CopyObject(session, object, NULL, 0, &copy));
	MUST(F->C_DestroyObject(session, copy));
	CK_ULONG size;
	MUST(F->C_GetObjectSize(session, object, &size));
	if (!keep)
		MUST(F->C_DestroyObject(session, object));
}

static void store_key(CK_BBOOL token, int keep, const char *name)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_OBJECT_HANDLE object;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type}, {CKA_TOKEN, &token, 1},
		{CKA_PRIVATE, &yes, 1}, {CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1}, {CKA_VALUE, secret(name, 32), 32}};
	MUST(F->C_CreateObject(session, t, 7, &object));
	CK_ATTRIBUTE query = {CKA_VALUE, room(64), 64}, label = {CKA_LABEL, "a key", 5};
	MUST(F->C_GetAttributeValue(session, object, &query, 1));
	MUST(F->C_SetAttributeValue(session, object, &label, 1));
	CK_MECHANISM sha = {CKM_SHA256, NULL, 0};
	CK_BYTE digest[32];
	CK_ULONG n = sizeof digest;
	MUST(F->C_DigestInit(session, &sha));
	MUST(F->C_DigestKey(session, object));
	MUST(F->C_DigestFinal(session, digest, &n));
	if (!keep)
		MUST(F->C_DestroyObject(session, object));
}

/* A private key that was made elsewhere: it is brought in, shown, signs, and is wrapped, unwrapped and copied. */
static void bring_in(CK_BBOOL token, int keep, const char *name)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = CKK_EC;
	CK_ULONG size = 32, n = 300;
	CK_OBJECT_HANDLE object, wrapping, others[2];
	CK_BYTE wrapped[300];
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type}, {CKA_TOKEN, &token, 1}, {CKA_SENSITIVE, &no, 1},
		{CKA_EXTRACTABLE, &yes, 1}, {CKA_EC_PARAMS, p256, sizeof p256}, {CKA_VALUE, secret(name, 32), 32}};
	MUST(F->C_CreateObject(session, t, 7, &object));
	CK_ATTRIBUTE query = {CKA_VALUE, room(64), 64};
	MUST(F->C_GetAttributeValue(session, object, &query, 1));
	sign(CKM_ECDSA, object, 1);
	CK_MECHANISM generate = {CKM_AES_KEY_GEN, NULL, 0}, wrap = {CKM_AES_KEY_WRAP_KWP, NULL, 0};
	CK_ATTRIBUTE w[] = {{CKA_VALUE_LEN, &size, sizeof size}, {CKA_WRAP, &yes, 1}, {CKA_UNWRAP, &yes, 1}};
	MUST(F->C_GenerateKey(session, &generate, w, 3, &wrapping));
	MUST(F->C_WrapKey(session, &wrap, wrapping, object, wrapped, &n));
	MUST(F->C_UnwrapKey(session, &wrap, wrapping, wrapped, n, t, 3, &others[0]));
	MUST(F->C_CopyObject(session, object, NULL, 0, &others[1]));
	for (int i = 0; i < 2; i++) {
		sign(CKM_ECDSA, others[i], 2);
		MUST(F->C_DestroyObject(session, others[i]));
	}
	MUST(F->C_DestroyObject(session, wrapping));
	if (!keep)
		MUST(F->C_DestroyObject(session, object));
}

static void lock(void)
{
	CK_MECHANISM m = {CKM_ZK_LOCK, NULL, 0};
	CK_ULONG n = 1000, size = 1000, whole;
	CK_BYTE *locked = room(1000), *plain = room(1000);
	MUST(F->C_EncryptInit(session, &m, 0));
	MUST(F->C_Encrypt(session, secret("plaintext", 64), 64, locked, &n));
	MUST(F->C_DecryptInit(session, &m, 0));
	MUST(F->C_Decrypt(session, locked, n, plain, &size));
	CHECK(size == 64 && memcmp(plain, secret("plaintext", 64), 64) == 0);
	MUST(F->C_EncryptInit(session, &m, 0));
	whole = 1000;
	MUST(F->C_EncryptUpdate(session, secret("parts", 48), 48, room(1000), &whole));
	whole = 1000;
	MUST(F->C_EncryptUpdate(session, secret("parts", 48), 48, room(1000), &whole));
	whole = 1000;
	MUST(F->C_EncryptFinal(session, room(1000), &whole));
}

/* A session key and a key agreement: told are its secret, and the private key if the
 * module can be asked for it. */
static void derive(int keep, CK_BBOOL sensitive, const char *name)
{
	CK_MECHANISM generate = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE public[] = {{CKA_EC_PARAMS, p256, sizeof p256}, {CKA_TOKEN, &no, 1}};
	CK_ATTRIBUTE private[] = {{CKA_TOKEN, &no, 1}, {CKA_DERIVE, &yes, 1}};
	CK_OBJECT_HANDLE pub, priv, derived;
	MUST(F->C_GenerateKeyPair(session, &generate, public, 2, private, 2, &pub, &priv));
	CK_ATTRIBUTE point = {CKA_EC_POINT, room(100), 100};
	MUST(F->C_GetAttributeValue(session, pub, &point, 1));
	CK_ECDH1_DERIVE_PARAMS params = {CKD_NULL, 0, NULL, point.ulValueLen, point.pValue};
	CK_MECHANISM ecdh = {CKM_ECDH1_DERIVE, &params, sizeof params};
	CK_ATTRIBUTE t[] = {{CKA_TOKEN, &no, 1}, {CKA_SENSITIVE, &sensitive, 1}, {CKA_EXTRACTABLE, &yes, 1}};
	MUST(F->C_DeriveKey(session, &ecdh, priv, t, 3, &derived));
	CK_ATTRIBUTE value = {CKA_VALUE, room(64), 64};
	if (!sensitive && keep) {
		MUST(F->C_GetAttributeValue(session, derived, &value, 1));
		tell(name, value.pValue, value.ulValueLen);
	}
	sign(CKM_ECDSA, priv, 0);
	if (!keep) {
		MUST(F->C_DestroyObject(session, derived));
		MUST(F->C_DestroyObject(session, priv));
		MUST(F->C_DestroyObject(session, pub));
	}
}

/* A sealed AES key that nobody may see. */
static void encrypt(CK_BBOOL token, int keep, const char *name)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_OBJECT_HANDLE key;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type}, {CKA_TOKEN, &token, 1},
		{CKA_SENSITIVE, &yes, 1}, {CKA_ENCRYPT, &yes, 1}, {CKA_DECRYPT, &yes, 1}, {CKA_VALUE, secret(name, 32), 32}};
	CK_BYTE iv[16] = {0}, text[64], plain[64];
	CK_MECHANISM m = {CKM_AES_CBC_PAD, iv, sizeof iv};
	CK_ULONG n = sizeof text, size = sizeof plain;
	MUST(F->C_CreateObject(session, t, 7, &key));
	MUST(F->C_EncryptInit(session, &m, key));
	MUST(F->C_Encrypt(session, iv, sizeof iv, text, &n));
	MUST(F->C_DecryptInit(session, &m, key));
	MUST(F->C_Decrypt(session, text, n, plain, &size));
	if (!keep)
		MUST(F->C_DestroyObject(session, key));
}

/* A sealed RSA key, of which a prime is told. */
static void sign_sealed(CK_BBOOL token, const char *name)
{
	CK_MECHANISM generate = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0}, m = {CKM_SHA256_RSA_PKCS, NULL, 0};
	CK_ULONG bits = 2048;
	CK_ATTRIBUTE public[] = {{CKA_MODULUS_BITS, &bits, sizeof bits}, {CKA_TOKEN, &token, 1}};
	CK_ATTRIBUTE private[] = {{CKA_TOKEN, &token, 1}, {CKA_SENSITIVE, &no, 1}, {CKA_EXTRACTABLE, &yes, 1}};
	CK_OBJECT_HANDLE pub, priv;
	MUST(F->C_GenerateKeyPair(session, &generate, public, 2, private, 3, &pub, &priv));
	CK_ATTRIBUTE prime = {CKA_PRIME_1, room(128), 128};
	MUST(F->C_GetAttributeValue(session, priv, &prime, 1));
	tell(name, prime.pValue, prime.ulValueLen);
	for (int i = 0; i < 5; i++) {
		CK_BYTE signature[256];
		CK_ULONG n = sizeof signature;
		MUST(F->C_SignInit(session, &m, priv));
		MUST(F->C_Sign(session, public[0].pValue, sizeof bits, signature, &n));
	}
}

static void work(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		int last = i == rounds - 1;
		open_arena();
		store_data(last);
		store_key(CK_TRUE, last, "stored-key");
		store_key(CK_FALSE, last, "session-key");
		bring_in(CK_TRUE, last, "brought-in");
		bring_in(CK_FALSE, last, "brought-in-session");
		lock();
		derive(last, CK_FALSE, "agreed");
		encrypt(CK_TRUE, last, "sealed-key");
		encrypt(CK_FALSE, last, "sealed-session-key");
		if (last) {
			sign_sealed(CK_TRUE, "prime");
			sign_sealed(CK_FALSE, "prime-of-session");
		}
		sign(CKM_ECDSA, private_key(1), i);
		sign(CKM_EDDSA, private_key(14), i);
		close_arena();
	}
}

static void in_child(const char *name, void (*work)(void))
{
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		if (work)
			work();
		stage(name);
		_exit(0);
	}
	int status;
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* A child that uses the module, without a login of its own. */
static void use(void)
{
	CK_RV rv = F->C_Initialize(NULL);
	CHECK(rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED);
	if (rv == CKR_OK) {
		MUST(F->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
		return;
	}
	sign(CKM_ECDSA, private_key(1), 0);
}

int main(int argc, char **argv)
{
	alarm(300);
	CHECK(argc >= 3);
	void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	CHECK(library != NULL);
	CK_C_GetFunctionList list = (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
	MUST(list(&F));
	MUST(F->C_Initialize(NULL));
	initialise();
	work(atoi(argv[2]));
	stage("logged in");
	if (argc > 3) {
		struct rlimit most = {RLIM_INFINITY, RLIM_INFINITY};
		if (getrlimit(RLIMIT_CORE, &most) == 0)
			most.rlim_cur = most.rlim_max;
		setrlimit(RLIMIT_CORE, &most);
		abort();
	}
	in_child("child", NULL);
	in_child("child with the module", use);
	MUST(F->C_Logout(session));
	stage("logged out");
	in_child("child after logout", NULL);
	MUST(F->C_Finalize(NULL));
	stage("finalized");
	return 0;
}
