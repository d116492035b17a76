/* SPDX-License-Identifier: Apache-2.0 */

/* flat MODULE SCENARIO N: does something N times, and prints what the process has before and after. */
#include "host.h"

static int n;

/* Cycles that come first: the collector and malloc find their size in them. */
enum { WARM = 60 };

/* In kB: what may come and go without being a leak, and what a PIN's Argon2 takes and the collector gives back late. */
enum { SWING = 8192, ARGON2 = 19456 };

/* A line of the table. Growth in memory may come from malloc's and the collector's habits, but not with n. */
static void flat(const char *what, void (*body)(int))
{
	body(WARM);
	int t = threads(), d = descriptors();
	long r = resident();
	body(n);
	printf("| %s | %d | %d, %d | %d, %d | %ld, %ld |\n", what, n, t, threads(), d, descriptors(), r, resident());
	CHECK(descriptors() == d);
	CHECK(threads() <= t + 4); /* the runtime keeps idle threads */
	CHECK(resident() < r + SWING + ARGON2);
}

static void cycle(int times)
{
	for (int i = 0; i < times; i++) {
		MUST(F->C_Initialize(NULL));
		work(F);
		MUST(F->C_Finalize(NULL));
	}
}

static void cycles(void) { flat("C_Initialize, login, find, sign, verify, C_Finalize", cycle); }

static CK_SESSION_HANDLE h;
static CK_OBJECT_HANDLE key;

static void sign(int times)
{
	CK_BYTE signature[64];
	for (int i = 0; i < times; i++)
		MUST(try_sign(F, h, key, signature));
}

static void log_in(void)
{
	MUST(F->C_Initialize(NULL));
	h = session(F);
	login(F, h);
	key = half(F, h, CKO_PRIVATE_KEY);
}

static void signatures(void)
{
	log_in();
	sign(10000);
	flat("C_SignInit, C_Sign (P-256)", sign);
	MUST(F->C_Finalize(NULL));
}

/* 4096 sessions at once, with that of the login. */
static void open_and_close(int times)
{
	static CK_SESSION_HANDLE all[4095];
	CK_BYTE signature[64];
	for (int i = 0; i < times; i++) {
		for (int k = 0; k < 4095; k++)
			all[k] = session(F);
		MUST(try_sign(F, all[4094], key, signature));
		for (int k = 0; k < 4095; k++)
			MUST(F->C_CloseSession(all[k]));
	}
}

static void sessions(void)
{
	log_in();
	flat("4096 sessions on the token", open_and_close);
	MUST(F->C_Finalize(NULL));
}

int main(int argc, char **argv)
{
	static const struct scenario all[] = {{"cycles", cycles}, {"signatures", signatures}, {"sessions", sessions}};
	CHECK(argc == 4);
	n = atoi(argv[3]);
	return RUN_ONE(argc, argv, all);
}
