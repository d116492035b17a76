/* SPDX-License-Identifier: Apache-2.0 */

/* children MODULE SCENARIO: what children have that take over from their parent, by the setting fork = "inherit". */
#include "children.h"

enum { DEPTH = 5, MANY = 10000, LOOPS = 60, THREADS = 6 };

static CK_SESSION_HANDLE rw, ro;
static CK_OBJECT_HANDLE key, public, data, session_key;

static CK_OBJECT_HANDLE new_data(CK_SESSION_HANDLE h, const char *value)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof class}, {CKA_VALUE, (void *)value, strlen(value)}};
	CK_OBJECT_HANDLE object;
	MUST(F->C_CreateObject(h, t, 2, &object));
	return object;
}

static CK_OBJECT_HANDLE new_session_key(CK_SESSION_HANDLE h)
{
	CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	CK_ATTRIBUTE t = {CKA_EC_PARAMS, p256, sizeof p256};
	CK_MECHANISM m = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_OBJECT_HANDLE one, other;
	MUST(F->C_GenerateKeyPair(h, &m, &t, 1, NULL, 0, &one, &other));
	return other;
}

static void has_value(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, const char *value)
{
	char got[64];
	CK_ATTRIBUTE t = {CKA_VALUE, got, sizeof got};
	MUST(F->C_GetAttributeValue(h, object, &t, 1));
	CHECK(t.ulValueLen == strlen(value) && memcmp(got, value, t.ulValueLen) == 0);
}

static void signs(CK_SESSION_HANDLE h)
{
	CK_BYTE signature[64];
	MUST(try_sign(F, h, key, signature));
	MUST(try_verify(F, h, public, signature));
}

/* The parent of most scenarios; session keys only where the SCM has them. */
static void settle(void)
{
	MUST(F->C_Initialize(NULL));
	rw = session(F);
	MUST(F->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &ro));
	login(F, rw);
	key = half(F, rw, CKO_PRIVATE_KEY);
	public = half(F, rw, CKO_PUBLIC_KEY);
	data = new_data(rw, "of the parent");
	session_key = new_session_key(rw);
}

/* ---- all that there is ----------------------------------------------------------------------------- */

static void starts_afresh(void)
{
	CK_BYTE signature[64];
	MUST(F->C_Initialize(NULL));
	EXPECT(is_session(rw), CKR_SESSION_HANDLE_INVALID);
	CK_SESSION_HANDLE h = session(F);
	CHECK(h != rw && h != ro && state(h) == CKS_RW_PUBLIC_SESSION);
	EXPECT(try_sign(F, h, key, signature), CKR_KEY_HANDLE_INVALID);
	EXPECT(F->C_DestroyObject(h, data), CKR_OBJECT_HANDLE_INVALID);
	work(F);
	MUST(F->C_Finalize(NULL));
}

static void takes_over(void)
{
	CK_BYTE signature[64];
	CK_ULONG n = 64;
	EXPECT(F->C_Sign(rw, signature, 32, signature, &n), CKR_OPERATION_NOT_INITIALIZED); /* the parent has begun one */
	EXPECT(F->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
	CHECK(state(rw) == CKS_RW_USER_FUNCTIONS && state(ro) == CKS_RO_USER_FUNCTIONS);
	signs(rw);
	signs(ro);
	MUST(try_sign(F, rw, session_key, signature));
	has_value(ro, data, "of the parent");
	CHECK(half(F, ro, CKO_PRIVATE_KEY) == key && half(F, ro, CKO_PUBLIC_KEY) == public);
	CK_SESSION_HANDLE h = session(F);
	CHECK(h != rw && h != ro && new_data(h, "x") != data);
	MUST(F->C_CloseSession(rw));
	EXPECT(F->C_DestroyObject(ro, data), CKR_OBJECT_HANDLE_INVALID);
	MUST(F->C_Logout(ro));
	EXPECT(try_sign(F, ro, key, signature), CKR_KEY_HANDLE_INVALID);
	MUST(F->C_Finalize(NULL));
	EXPECT(is_session(ro), CKR_CRYPTOKI_NOT_INITIALIZED);
	starts_afresh();
}

static void all_there_is(void)
{
	CK_MECHANISM m = {CKM_ECDSA, NULL, 0};
	CK_BYTE signature[64], digest[32] = {1};
	CK_ULONG n = 64;
	settle();
	MUST(F->C_SignInit(rw, &m, key));
	in_child(takes_over);
	in_child(takes_over); /* which finds what the first has changed as it was */
	MUST(F->C_Sign(rw, digest, sizeof digest, signature, &n));
	has_value(ro, data, "of the parent");
	signs(ro);
}

/* ---- children of children -------------------------------------------------------------------------- */

static int depth;
static CK_SESSION_HANDLE opened[DEPTH];
static CK_OBJECT_HANDLE made[DEPTH];

static void deeper(void)
{
	char value[16];
	signs(rw);
	MUST(F->C_CloseSession(ro));
	MUST(F->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &ro));
	for (int i = 0; i < depth; i++) {
		snprintf(value, sizeof value, "of %d", i);
		has_value(opened[i], made[i], value);
	}
	if (depth == DEPTH)
		return;
	snprintf(value, sizeof value, "of %d", depth);
	opened[depth] = session(F);
	made[depth] = new_data(opened[depth], value);
	depth++;
	in_child(deeper);
	signs(opened[0]);
}

/* A child that calls nothing before it forks is passed over. */
static void silent(void) { in_child(deeper); }

static void generations(void)
{
	settle();
	in_child(deeper);
	in_child(silent);
}

/* ---- children that finalise, and parents that have -------------------------------------------------- */

static void finalises(void)
{
	MUST(F->C_Finalize(NULL));
	EXPECT(is_session(rw), CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(F->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	starts_afresh();
	in_child(starts_afresh);
}

static void finalised(void)
{
	settle();
	in_child(finalises);
	signs(rw);
	MUST(F->C_Finalize(NULL));
	in_child(starts_afresh);
	starts_afresh();
}

static void never_initialized(void)
{
	EXPECT(is_session(1), CKR_CRYPTOKI_NOT_INITIALIZED);
	MUST(F->C_Initialize(NULL));
	work(F);
}

static void only_loaded(void) { in_child(never_initialized); }

/* The parent has called C_Initialize and nothing else, and its child has it from there. */
static void initialized(void)
{
	EXPECT(F->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
	work(F);
	MUST(F->C_Finalize(NULL));
	EXPECT(F->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void only_initialized(void)
{
	MUST(F->C_Initialize(NULL));
	in_child(initialized);
	work(F);
	in_child(initialized);
}

/* ---- the token changes ------------------------------------------------------------------------------ */

static void run_tool(const char *arguments)
{
	char command[4096];
	snprintf(command, sizeof command, "\"$ZK_TEST_TOOL\" %s >/dev/null", arguments);
	CHECK(system(command) == 0);
}

static void logged_out(void)
{
	CK_BYTE signature[64];
	run_tool("--init-token --slot 0 --label anew --pin 12345678 --so-pin 87654321");
	CHECK(state(rw) == CKS_RW_PUBLIC_SESSION && state(ro) == CKS_RO_PUBLIC_SESSION);
	EXPECT(try_sign(F, rw, key, signature), CKR_KEY_HANDLE_INVALID);
	login(F, rw);
	key = half(F, rw, CKO_PRIVATE_KEY);
	signs(rw);
}

static void initialised_anew(void)
{
	settle();
	in_child(logged_out);
	CHECK(state(rw) == CKS_RW_PUBLIC_SESSION);
}

/* ---- many sessions ---------------------------------------------------------------------------------- */

static CK_SESSION_HANDLE many[MANY];

static void has_many(void)
{
	long long begun = now();
	signs(many[0]);
	printf("first signature beside %d sessions: %.1f ms\n", MANY, (now() - begun) / 1e6);
	for (int i = 0; i < MANY; i += 97)
		CHECK(state(many[i]) == (i % 2 ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS));
	begun = now();
	MUST(F->C_CloseAllSessions(0));
	printf("closing them: %.1f ms\n", (now() - begun) / 1e6);
	EXPECT(is_session(many[1]), CKR_SESSION_HANDLE_INVALID);
}

static void many_sessions(void)
{
	settle();
	long long begun = now();
	for (int i = 0; i < MANY; i++)
		MUST(F->C_OpenSession(0, CKF_SERIAL_SESSION | (i % 2 ? CKF_RW_SESSION : 0), NULL, NULL, &many[i]));
	printf("opening %d sessions: %.1f ms\n", MANY, (now() - begun) / 1e6);
	in_child(has_many);
	begun = now();
	for (int i = 0; i < MANY; i++)
		MUST(F->C_CloseSession(many[i]));
	printf("closing them one by one: %.1f ms\n", (now() - begun) / 1e6);
	signs(rw);
}

/* ---- a parent that is busy -------------------------------------------------------------------------- */

static int stop;

static void *opens_and_closes(void *unused)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		CK_SESSION_HANDLE h[8];
		for (int i = 0; i < 8; i++)
			h[i] = session(F);
		for (int i = 0; i < 8; i++)
			new_data(h[i], "a value that is a little longer than the room of a small piece is");
		for (int i = 0; i < 8; i++)
			MUST(F->C_CloseSession(h[i]));
	}
	return unused;
}

static void *logs_in_and_out(void *unused)
{
	char *pin = getenv("ZK_TEST_PIN");
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		MUST(F->C_Logout(rw));
		MUST(F->C_Login(rw, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)));
	}
	return unused;
}

/* Either state of the parent will do, but the child is wholly in it, and stays there. */
static void consistent(void)
{
	CK_BYTE signature[64];
	has_value(ro, data, "of the parent");
	CHECK(is_session(rw) == CKR_OK);
	int in = state(rw) == CKS_RW_USER_FUNCTIONS;
	CHECK((state(ro) == CKS_RO_USER_FUNCTIONS) == in);
	if (!in)
		login(F, ro);
	MUST(try_sign(F, rw, half(F, rw, CKO_PRIVATE_KEY), signature));
	CHECK(state(session(F)) == CKS_RW_USER_FUNCTIONS);
}

static void *forks(void *unused)
{
	for (int i = 0; i < LOOPS / THREADS; i++)
		in_child(consistent);
	return unused;
}

static void busy(void)
{
	pthread_t restless[THREADS], forking[THREADS];
	settle();
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&restless[i], NULL, i ? opens_and_closes : logs_in_and_out, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&forking[i], NULL, forks, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(forking[i], NULL);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++)
		pthread_join(restless[i], NULL);
	MUST(F->C_Finalize(NULL));
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {
		{"all-there-is", all_there_is}, {"generations", generations}, {"finalised", finalised}, {"only-loaded", only_loaded},
		{"only-initialized", only_initialized},
		{"initialised-anew", initialised_anew}, {"many-sessions", many_sessions}, {"busy", busy},
	};
	alarm(240);
	return RUN_ONE(argc, argv, all);
}
