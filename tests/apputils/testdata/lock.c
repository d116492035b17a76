/* SPDX-License-Identifier: Apache-2.0 */

/* Lock and unlock, between buffers and files in the working directory. */
#include <sys/stat.h>

#include "check.h"

static const uint8_t plain[] = {1, 2, 3, 4};

static void buffers(zkCTX ctx)
{
	uint8_t *locked = NULL, *back = (uint8_t *)plain;
	int n = 0, m = 0;
	for (int shared = 0; shared <= 1; shared++) {
		OK(zkLockDataB2B(ctx, plain, sizeof plain, &locked, &n, shared));
		EXPECT(n, 88);
		EXPECT(zkUnlockDataB2B(ctx, locked, n, &back, &m, shared), 1);
		CHECK(m == sizeof plain && memcmp(back, plain, sizeof plain) == 0);
		free(back);
		EXPECT(zkUnlockDataB2B(ctx, locked, n, &back, &m, !shared), 0);
		CHECK(back == NULL && m == 0);
		for (int i = 0; i < n; i++) {
			locked[i] ^= 1;
			EXPECT(zkUnlockDataB2B(ctx, locked, n, &back, &m, shared), 0);
			locked[i] ^= 1;
		}
		for (int i = 0; i < n; i++)
			EXPECT(zkUnlockDataB2B(ctx, locked, i, &back, &m, shared), 0);
		free(locked);
	}
	OK(zkLockDataB2B(ctx, NULL, 0, &locked, &n, false));
	EXPECT(zkUnlockDataB2B(ctx, locked, n, &back, &m, false), 1);
	CHECK(back != NULL && m == 0);
	free(back);
	free(locked);
}

/* 131,072 bytes through every pair of buffers and files. */
static void files(zkCTX ctx)
{
	enum { SIZE = 1 << 17 };
	uint8_t *data = NULL, *locked = NULL, *back = NULL;
	int n = 0, m = 0;
	struct stat st;
	OK(zkCreateRandDataFile(ctx, "plain", SIZE));
	OK(stat("plain", &st));
	CHECK(st.st_size == SIZE && (st.st_mode & 077) == 0);
	OK(zkLockDataF2F(ctx, "plain", "locked", false));
	OK(zkUnlockDataF2F(ctx, "locked", "back", false));
	OK(system("cmp plain back"));
	OK(stat("back", &st));
	CHECK((st.st_mode & 077) == 0);
	OK(zkUnlockDataF2B(ctx, "locked", &data, &m, false));
	EXPECT(m, SIZE);
	OK(zkLockDataB2F(ctx, data, m, "locked2", true));
	OK(zkUnlockDataF2B(ctx, "locked2", &back, &n, true));
	CHECK(n == m && memcmp(data, back, n) == 0);
	free(back);
	OK(zkLockDataF2B(ctx, "plain", &locked, &n, false));
	OK(zkUnlockDataB2F(ctx, locked, n, "back2", false));
	OK(system("cmp plain back2"));
	free(locked);
	free(data);
}

static void errors(zkCTX ctx)
{
	uint8_t *out = NULL;
	int n = 0;
	EXPECT(zkLockDataF2F(ctx, "missing", "x", false), -ENOENT);
	EXPECT(zkLockDataF2F(ctx, "plain", "/nowhere/x", false), -ENOENT);
	EXPECT(zkLockDataF2F(ctx, "/dev/zero", "x", false), -EMSGSIZE);
	EXPECT(zkLockDataF2F(ctx, NULL, "x", false), -EINVAL);
	EXPECT(zkLockDataF2F(ctx, "plain", NULL, false), -EINVAL);
	EXPECT(zkUnlockDataF2F(ctx, "locked", "x", true), -EBADMSG);
	EXPECT(zkUnlockDataF2B(ctx, "plain", &out, &n, false), -EBADMSG);
	EXPECT(zkUnlockDataB2F(ctx, plain, sizeof plain, "x", false), -EBADMSG);
	EXPECT(access("x", F_OK), -1);
	EXPECT(zkLockDataB2B(ctx, NULL, 1, &out, &n, false), -EINVAL);
	EXPECT(zkLockDataB2B(ctx, plain, -1, &out, &n, false), -EINVAL);
	EXPECT(zkLockDataB2B(ctx, plain, 1, NULL, &n, false), -EINVAL);
	EXPECT(zkUnlockDataB2B(ctx, plain, 1, &out, NULL, false), -EINVAL);
	CHECK(out == NULL);
}

int main(void)
{
	zkCTX ctx = opened();
	buffers(ctx);
	files(ctx);
	errors(ctx);
	OK(zkClose(ctx));
	return 0;
}
