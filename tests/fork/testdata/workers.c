/* SPDX-License-Identifier: Apache-2.0 */

/*
 * workers MODULE SCENARIO: a server as nginx is with libp11 0.4.17 to 0.4.20 and an
 * Ed25519 key. The master logs in and finds the key; its workers use both handles
 * without C_Initialize, because that path looks for no fork.
 */
#include "children.h"

enum { RELOADS = 5, WORKERS = 8, EACH = 50, PAIRS = 30 };

static CK_SESSION_HANDLE s;
static CK_OBJECT_HANDLE key;

static void print_key(void)
{
	CK_BYTE point[64];
	CK_ATTRIBUTE t = {CKA_EC_POINT, point, sizeof point};
	MUST(F->C_GetAttributeValue(s, in_slot(s, ED25519_SLOT, CKO_PUBLIC_KEY), &t, 1));
	print_hex("key", point, t.ulValueLen);
}

static void sign_and_print(int reload, int worker, int n)
{
	char message[64];
	CK_BYTE signature[64];
	/* 32 bytes, the one length that the vendor's C API signs with an Ed25519 key */
	snprintf(message, sizeof message, "%010d.%010d.%010d", reload, worker, n);
	MUST(sign_eddsa(s, key, message, signature));
	print_hex(message, signature, sizeof signature);
}

static void work_for(int reload, int worker, long long born)
{
	for (int n = 0; n < EACH; n++) {
		sign_and_print(reload, worker, n);
		if (n == 0)
			printf("first %lld\n", now() - born);
	}
}

static pid_t start(int reload, int worker)
{
	fflush(stdout);
	long long born = now();
	pid_t child = fork();
	if (child == 0) {
		alarm(60);
		work_for(reload, worker, born);
		fflush(stdout);
		_exit(0);
	}
	CHECK(child > 0);
	return child;
}

static void await(pid_t child)
{
	int status = 0;
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void master(void)
{
	MUST(F->C_Initialize(NULL));
	s = session(F);
	login(F, s);
	print_key();
}

static void reloads(void)
{
	pid_t workers[WORKERS];
	master();
	for (int reload = 0; reload < RELOADS; reload++) {
		key = in_slot(s, ED25519_SLOT, CKO_PRIVATE_KEY); /* the new configuration names it again */
		for (int i = 0; i < WORKERS; i++)
			workers[i] = start(reload, i);
		for (int i = 0; i < WORKERS; i++)
			await(workers[i]);
		sign_and_print(reload, WORKERS, 0);
	}
}

/* One worker at a time, for the time that the first signature takes. */
static void one_by_one(void)
{
	master();
	key = in_slot(s, ED25519_SLOT, CKO_PRIVATE_KEY);
	for (int i = 0; i < PAIRS; i++)
		await(start(0, i));
}

static void refused(void)
{
	CK_BYTE signature[64];
	EXPECT(sign_eddsa(s, key, "x", signature), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void strict(void)
{
	master();
	key = in_slot(s, ED25519_SLOT, CKO_PRIVATE_KEY);
	in_child(refused);
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"reloads", reloads}, {"one-by-one", one_by_one}, {"strict", strict}};
	alarm(240);
	return RUN_ONE(argc, argv, all);
}
