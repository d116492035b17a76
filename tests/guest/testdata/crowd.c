/* SPDX-License-Identifier: Apache-2.0 */

/* crowd MODULE SCENARIO SECONDS: many threads that call everything at once. */
#include <time.h>

#include "host.h"

enum { THREADS = 32 };

static time_t deadline;
static CK_OBJECT_HANDLE private_key, public_key;

static int busy(void) { return time(NULL) < deadline; }

static void sign_and_verify(CK_SESSION_HANDLE h)
{
	CK_BYTE signature[64];
	MUST(try_sign(F, h, private_key, signature));
	MUST(try_verify(F, h, public_key, signature));
}

static void find(CK_SESSION_HANDLE h)
{
	CHECK(half(F, h, CKO_PRIVATE_KEY) == private_key);
}

static void read_attributes(CK_SESSION_HANDLE h)
{
	CK_BYTE label[64], point[128];
	CK_ATTRIBUTE t[] = {{CKA_LABEL, label, sizeof label}, {CKA_EC_POINT, point, sizeof point}};
	MUST(F->C_GetAttributeValue(h, public_key, t, 2));
}

static void random_and_digest(CK_SESSION_HANDLE h)
{
	CK_BYTE bytes[32], digest[32];
	CK_ULONG n = sizeof digest;
	CK_MECHANISM m = {CKM_SHA256, NULL, 0};
	MUST(F->C_GenerateRandom(h, bytes, sizeof bytes));
	MUST(F->C_DigestInit(h, &m));
	MUST(F->C_Digest(h, bytes, sizeof bytes, digest, &n));
}

static void make_pair(CK_SESSION_HANDLE h)
{
	static CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, 1}, {CKA_EC_PARAMS, p256, sizeof p256}}, private[] = {{CKA_TOKEN, &yes, 1}};
	CK_MECHANISM m = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_OBJECT_HANDLE a, b;
	CK_BYTE signature[64];
	MUST(F->C_GenerateKeyPair(h, &m, public, 2, private, 1, &a, &b));
	MUST(try_sign(F, h, b, signature));
	MUST(try_verify(F, h, a, signature));
	MUST(F->C_DestroyObject(h, b));
	CK_RV rv = F->C_DestroyObject(h, a);
	CHECK(rv == CKR_OK || rv == CKR_OBJECT_HANDLE_INVALID); /* it may go with its other half */
}

static void make_data(CK_SESSION_HANDLE h)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_TOKEN, &yes, 1}, {CKA_VALUE, "value", 5}};
	CK_OBJECT_HANDLE object;
	MUST(F->C_CreateObject(h, t, 3, &object));
	MUST(F->C_DestroyObject(h, object));
}

static void log_in_again(CK_SESSION_HANDLE h)
{
	char *pin = getenv("ZK_TEST_PIN");
	EXPECT(F->C_Login(h, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)), CKR_USER_ALREADY_LOGGED_IN);
}

static void look(CK_SESSION_HANDLE h)
{
	CK_SESSION_INFO s;
	CK_TOKEN_INFO t;
	MUST(F->C_GetSessionInfo(h, &s));
	CHECK(s.state == CKS_RW_USER_FUNCTIONS);
	MUST(F->C_GetTokenInfo(0, &t));
}

static void (*const jobs[])(CK_SESSION_HANDLE) = {
	sign_and_verify, find, read_attributes, random_and_digest, make_pair, make_data, log_in_again, look,
};
enum { JOBS = sizeof jobs / sizeof *jobs };

static void *member(void *number)
{
	unsigned seed = (unsigned)(size_t)number;
	while (busy()) {
		CK_SESSION_HANDLE h = session(F);
		for (int i = 0; i < 20; i++)
			jobs[rand_r(&seed) % JOBS](h);
		MUST(F->C_CloseSession(h));
	}
	return NULL;
}

static void all_threads(void *(*body)(void *))
{
	pthread_t threads[THREADS];
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, body, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void mixed(void)
{
	MUST(F->C_Initialize(NULL));
	CK_SESSION_HANDLE h = session(F);
	login(F, h);
	private_key = half(F, h, CKO_PRIVATE_KEY);
	public_key = half(F, h, CKO_PUBLIC_KEY);
	all_threads(member);
	MUST(F->C_Finalize(NULL));
}

/* ---- login and logout of some threads while others use the token --------------------------------- */

/* A logout takes the key's handle, or the key from an operation under way; a login after it gives none back. */
static int taken_away(CK_RV rv)
{
	return rv == CKR_KEY_HANDLE_INVALID || rv == CKR_USER_NOT_LOGGED_IN || rv == CKR_OPERATION_NOT_INITIALIZED || rv == CKR_FUNCTION_FAILED;
}

static void *in_and_out(void *number)
{
	CK_BYTE signature[64];
	char *pin = getenv("ZK_TEST_PIN");
	CK_SESSION_HANDLE h = session(F);
	while (busy()) {
		CK_RV rv;
		if ((size_t)number % 8 == 0) {
			rv = F->C_Login(h, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
			CHECK(rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN);
			rv = F->C_Logout(h);
			CHECK(rv == CKR_OK || rv == CKR_USER_NOT_LOGGED_IN);
		}
		rv = try_sign(F, h, private_key, signature);
		CHECK(rv == CKR_OK || taken_away(rv));
		MUST(try_verify(F, h, public_key, (CK_BYTE[64]){0}) == CKR_SIGNATURE_INVALID ? CKR_OK : CKR_GENERAL_ERROR);
	}
	return NULL;
}

static void logins(void)
{
	MUST(F->C_Initialize(NULL));
	CK_SESSION_HANDLE h = session(F);
	login(F, h);
	private_key = half(F, h, CKO_PRIVATE_KEY);
	public_key = half(F, h, CKO_PUBLIC_KEY);
	all_threads(in_and_out);
	MUST(F->C_Finalize(NULL));
}

/* ---- C_Finalize while others call ------------------------------------------------------------------ */

/* Everything may answer that the module is not initialised, or that the session of before is unknown now. */
static int stopped(CK_RV rv)
{
	CHECK(rv == CKR_OK || rv == CKR_CRYPTOKI_NOT_INITIALIZED || rv == CKR_SESSION_HANDLE_INVALID);
	return rv != CKR_OK;
}

static void *whenever(void *unused)
{
	CK_BYTE bytes[8];
	CK_ULONG n;
	CK_OBJECT_HANDLE objects[40];
	while (busy()) {
		CK_SESSION_HANDLE h;
		if (stopped(F->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &h)) ||
		    stopped(F->C_GenerateRandom(h, bytes, sizeof bytes)) || stopped(F->C_FindObjectsInit(h, NULL, 0)))
			continue;
		CK_RV rv = F->C_FindObjects(h, objects, 40, &n);
		CHECK(stopped(rv) || n == 16 + 3); /* public keys and profiles */
	}
	return unused;
}

static void *start_and_stop(void *unused)
{
	while (busy()) {
		usleep(2000);
		MUST(F->C_Finalize(NULL));
		MUST(F->C_Initialize(NULL));
	}
	return unused;
}

static void *first_stops(void *number)
{
	return number ? whenever(NULL) : start_and_stop(NULL);
}

static void finalize(void)
{
	MUST(F->C_Initialize(NULL));
	all_threads(first_stops);
	MUST(F->C_Finalize(NULL));
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"mixed", mixed}, {"logins", logins}, {"finalize", finalize}};
	CHECK(argc == 4);
	deadline = time(NULL) + atoi(argv[3]);
	return RUN_ONE(argc, argv, all);
}
