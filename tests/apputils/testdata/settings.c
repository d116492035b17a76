/* SPDX-License-Identifier: Apache-2.0 */

/* An SCM that is otherwise where its vendor says nothing, by the settings in settings_test.go. */
#include "check.h"

enum { ERROR = -71 };

static int listed(zkCTX ctx, int slot)
{
	int capacity = 0, *list = NULL, n = 0, found = 0;
	OK(zkGetAllocSlotsList(ctx, false, &capacity, &list, &n));
	CHECK(capacity == 512);
	for (int i = 0; i < n; i++)
		found |= list[i] == slot;
	free(list);
	return found;
}

static void errors(zkCTX ctx)
{
	uint8_t *out = NULL;
	EXPECT(signs(ctx, 528), ERROR);
	EXPECT(signs(ctx, 16), ERROR);
	EXPECT(zkGetRandBytes(ctx, NULL, 4), ERROR);
	EXPECT(zkGetRandBytes(ctx, &out, 65), ERROR);
	EXPECT(zkWaitForPerimeterEvent(ctx, 0), -ETIMEDOUT);
}

static void slots(zkCTX ctx)
{
	EXPECT(zkGenKeyPair(ctx, ZK_NISTP256), 16);
	EXPECT(zkGenKeyPair(ctx, ZK_NISTP256), 17);
	OK(zkRemoveKey(ctx, 16, false));
	EXPECT(zkGenKeyPair(ctx, ZK_NISTP256), 18);
	EXPECT(zkGenKeyPair(ctx, ZK_NISTP256), 19);
	EXPECT(zkGenKeyPair(ctx, ZK_NISTP256), 16); /* there are four */
	EXPECT(zkGenKeyPair(ctx, ZK_NISTP256), ERROR);
	OK(zkRemoveKey(ctx, 16, false));
	OK(zkRemoveKey(ctx, 19, false));
	CHECK(listed(ctx, 3) && listed(ctx, 18) && !listed(ctx, 14) && !listed(ctx, 15));
	OK(zkRemoveKey(ctx, 3, false));
	OK(zkRemoveKey(ctx, 3, false));
	OK(zkRemoveKey(ctx, 127, true));
	EXPECT(zkRemoveKey(ctx, 128, true), ERROR);
	CHECK(!listed(ctx, 3) && signs(ctx, 3) == ERROR && signs(ctx, 14) == 0);
}

static void wallets(zkCTX ctx)
{
	char *serial = NULL, *mnemonic = NULL;
	int top = zkGenWalletMasterSeedWithBIP39(ctx, ZK_SECP256K1, "", "w", NULL, 0, "VFJFWk9S", &mnemonic);
	EXPECT(top, 19);
	CHECK(!listed(ctx, top));
	free(mnemonic);
	EXPECT(zkGenWalletMasterSeedWithBIP39(ctx, ZK_SECP256K1, "", "v", NULL, 0, "no Base64", &mnemonic), ERROR);
	OK(zkGetSerialNumberString(ctx, &serial));
	CHECK(strcmp(serial, "ZK0001") == 0);
	free(serial);
}

int main(void)
{
	zkCTX ctx = opened();
	errors(ctx);
	slots(ctx);
	wallets(ctx);
	OK(zkClose(ctx));
	return 0;
}
