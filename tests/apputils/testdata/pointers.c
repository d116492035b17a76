/* SPDX-License-Identifier: Apache-2.0 */

/* Addresses that lead nowhere, in place of each pointer: an error, and the program goes on. */
#include <pthread.h>
#include <stdint.h>

#include "check.h"

static zkCTX ctx;
static int number; /* room for a good pointer */
static uint8_t *buffer;

#define CALLS(F) \
	F(zkGetRandBytes(ctx, bad, 32)) F(zkCreateRandDataFile(ctx, bad, 32)) \
	F(zkLockDataB2B(ctx, bad, 4, &buffer, &number, false)) F(zkLockDataB2B(ctx, digest, 4, bad, &number, false)) \
	F(zkLockDataB2B(ctx, digest, 4, &buffer, bad, false)) F(zkUnlockDataB2B(ctx, bad, 88, &buffer, &number, false)) \
	F(zkGenECDSASigFromDigest(ctx, bad, 0, &buffer, &number)) F(zkGenECDSASigFromDigest(ctx, digest, 0, bad, &number)) \
	F(zkGenECDSASigFromDigest(ctx, digest, 0, &buffer, bad)) F(zkVerifyECDSASigFromDigest(ctx, bad, 0, digest, 64)) \
	F(zkVerifyECDSASigFromDigest(ctx, digest, 0, bad, 64)) F(zkExportPubKey(ctx, bad, &number, 0, false)) \
	F(zkExportPubKey(ctx, &buffer, bad, 0, false)) F(zkStoreForeignPubKey(ctx, ZK_NISTP256, bad, 64)) \
	F(zkGetAllocSlotsList(ctx, false, bad, (int **)&buffer, &number)) F(zkGetAllocSlotsList(ctx, false, &number, bad, &number)) \
	F(zkDoRawECDH(ctx, 0, bad, 64, &buffer))

/* Which call, and with which address. */
static int at;
static void *bad;

static int call(void)
{
	int i = 0;
#define TRY(CALL) \
	if (i++ == at) \
		return CALL;
	CALLS(TRY)
	return 1;
}

/* In a thread that is new to the library: its stack there has to grow. */
static void *work(void *result)
{
	*(int *)result = call();
	return NULL;
}

int main(void)
{
	static const uintptr_t addresses[] = {0x1, 0x10, 0xfff, 0x123000, 0x123456, (uintptr_t)0xffff8000c0000000, UINTPTR_MAX - 0xff};
	OK(zkOpen(&ctx));
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		bad = (void *)addresses[i];
		for (at = 0;; at++) {
			int result;
			pthread_t thread;
			OK(pthread_create(&thread, NULL, work, &result));
			OK(pthread_join(thread, NULL));
			if (result == 1)
				break;
			if (result >= 0) {
				printf("call %d with %p: %d\n", at, bad, result);
				return 1;
			}
		}
	}
	OK(signs(ctx, 0));
	OK(zkClose(ctx));
	return 0;
}
