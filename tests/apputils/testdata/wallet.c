/* SPDX-License-Identifier: Apache-2.0 */

/* Wallets: BIP32, BIP39, SLIP39 and oversight. */
#include "check.h"

static uint8_t *public_key(zkCTX ctx, int slot)
{
	uint8_t *pk = NULL;
	int n = 0;
	OK(zkExportPubKey(ctx, &pk, &n, slot, false));
	EXPECT(n, 64);
	return pk;
}

static void same_key(zkCTX ctx, int a, int b)
{
	uint8_t *x = public_key(ctx, a), *y = public_key(ctx, b);
	CHECK(memcmp(x, y, 64) == 0);
	free(x);
	free(y);
}

static int master(zkCTX ctx, const char *name, char **mnemonic)
{
	return zkGenWalletMasterSeedWithBIP39(ctx, ZK_SECP256K1, "", name, (const uint8_t *)"key", 3, "secret", mnemonic);
}

/* A key where Ethereum has them: m/44'/60'/0'/0/5. */
static int account(zkCTX ctx, int slot)
{
	slot = zkGenWalletChildKey(ctx, slot, 44, true, false, NULL);
	slot = zkGenWalletChildKey(ctx, slot, 60, true, false, NULL);
	slot = zkGenWalletChildKey(ctx, slot, 0, true, false, NULL);
	slot = zkGenWalletChildKey(ctx, slot, 0, false, false, NULL);
	slot = zkGenWalletChildKey(ctx, slot, 5, false, false, NULL);
	CHECK(slot >= 16);
	return slot;
}

static void addresses(zkCTX ctx, int top)
{
	char *address = NULL, *name = NULL;
	int slot = account(ctx, top), found = 0, of = 0;
	OK(zkGetWalletNodeAddrFromKeySlot(ctx, slot, &address, &name, &of));
	CHECK(strcmp(address, "m/44'/60'/0'/0/5") == 0 && strcmp(name, "first") == 0 && of == top);
	OK(zkGetWalletKeySlotFromNodeAddr(ctx, address, name, 0, &found));
	EXPECT(found, slot);
	OK(zkGetWalletKeySlotFromNodeAddr(ctx, address, NULL, top, &found));
	EXPECT(found, slot);
	EXPECT(zkGetWalletKeySlotFromNodeAddr(ctx, "m/7", name, 0, &found), -ENOENT);
	free(address);
	free(name);
	CHECK(zkGetWalletNodeAddrFromKeySlot(ctx, 0, &address, &name, &of) < 0);
	OK(signs(ctx, slot));
}

/* A mnemonic makes the same wallet once more. */
static void recovery(zkCTX ctx)
{
	char *mnemonic = NULL;
	int top = master(ctx, "first", &mnemonic);
	CHECK(top >= 16 && mnemonic != NULL);
	EXPECT(master(ctx, "first", &mnemonic), -EEXIST);
	addresses(ctx, top);
	int again = zkRestoreWalletMasterSeedFromBIP39Mnemonic(ctx, ZK_SECP256K1, "", "again", (const uint8_t *)"key", 3, "secret", mnemonic);
	same_key(ctx, account(ctx, top), account(ctx, again));
	mnemonic[0] ^= 1;
	EXPECT(zkRestoreWalletMasterSeedFromBIP39Mnemonic(ctx, ZK_SECP256K1, "", "x", NULL, 0, "", mnemonic), -EINVAL);
	free(mnemonic);
	int slot = account(ctx, again);
	OK(zkRemoveKey(ctx, again, false));
	EXPECT(signs(ctx, slot), -ENOENT);
	OK(zkRemoveKey(ctx, top, false));
}

static void oversight(zkCTX ctx)
{
	uint8_t *chain = NULL;
	int top = master(ctx, "watched", NULL);
	int node = zkGenWalletChildKey(ctx, top, 3, true, true, &chain);
	CHECK(node >= 16 && chain != NULL);
	uint8_t *pk = public_key(ctx, node);
	int watcher = zkGenOversightWallet(ctx, ZK_SECP256K1, "", pk, chain, "m/3'", "watcher");
	CHECK(watcher >= 16);
	int watched = zkGenWalletChildKey(ctx, watcher, 9, false, false, NULL);
	same_key(ctx, watched, zkGenWalletChildKey(ctx, node, 9, false, false, NULL));
	CHECK(signs(ctx, watched) < 0);
	CHECK(zkGenWalletChildKey(ctx, watcher, 9, true, false, NULL) < 0);
	EXPECT(zkGenWalletChildKey(ctx, node, 9, false, true, &chain), -EINVAL);
	EXPECT(zkGenWalletChildKey(ctx, node, 9, true, true, NULL), -EINVAL);
	free(pk);
	free(chain);
	OK(zkRemoveKey(ctx, top, false));
	OK(zkRemoveKey(ctx, watcher, false));
}

/* Two groups, both of which are needed: 1 of 1 and 2 of 3. */
static void shares(zkCTX ctx)
{
	char *share[4] = {NULL};
	int top = -1;
	OK(zkGenWalletMasterSeedWithSLIP39(ctx, ZK_NISTP256, "", "shared", NULL, 0, 2, 2, 0, "secret"));
	EXPECT(master(ctx, "other", NULL), -EBUSY);
	for (int i = 0; i < 4; i++) {
		if (i == 0)
			OK(zkSetSLIP39GroupInfo(ctx, 0, 1, 1));
		if (i == 1)
			OK(zkSetSLIP39GroupInfo(ctx, 1, 3, 2));
		top = zkAddSLIP39MemberPassword(ctx, i == 2 ? "member" : "", &share[i]);
		CHECK(share[i] != NULL && (i == 3 ? top >= 16 : top == -1));
	}
	EXPECT(zkRestoreWalletMasterSeedFromSLIP39(ctx, ZK_NISTP256, "", "restored", NULL, 0, "secret"), -1);
	EXPECT(zkAddRestoreSLIP39Mnemonic(ctx, "", share[0]), -1);
	EXPECT(zkAddRestoreSLIP39Mnemonic(ctx, "", share[0]), -1);
	EXPECT(zkAddRestoreSLIP39Mnemonic(ctx, "", "no share"), -1);
	EXPECT(zkAddRestoreSLIP39Mnemonic(ctx, "", share[3]), -1);
	int again = zkAddRestoreSLIP39Mnemonic(ctx, "member", share[2]);
	CHECK(again >= 16);
	same_key(ctx, zkGenWalletChildKey(ctx, top, 1, false, false, NULL), zkGenWalletChildKey(ctx, again, 1, false, false, NULL));
	OK(zkCancelSLIP39Session(ctx));
	CHECK(zkAddRestoreSLIP39Mnemonic(ctx, "", share[0]) < -1);
	CHECK(zkAddSLIP39MemberPassword(ctx, "", &share[0]) < -1);
	for (int i = 0; i < 4; i++)
		free(share[i]);
}

static void errors(zkCTX ctx)
{
	char *out = NULL;
	EXPECT(master(ctx, NULL, NULL), -EINVAL);
	EXPECT(master(ctx, "", NULL), -EINVAL);
	EXPECT(zkGenWalletMasterSeedWithBIP39(ctx, ZK_ED25519, "", "w", NULL, 0, "", NULL), -EINVAL);
	EXPECT(zkGenWalletMasterSeedWithBIP39(ctx, ZK_X25519, "", "w", NULL, 0, "", NULL), -EOPNOTSUPP);
	EXPECT(zkGenWalletMasterSeedWithBIP39(ctx, ZK_NISTP256, "", "w", NULL, 1, "", NULL), -EINVAL);
	EXPECT(zkGenWalletMasterSeedWithSLIP39(ctx, ZK_NISTP256, "", "w", NULL, 0, 17, 1, 0, ""), -EINVAL);
	EXPECT(zkGenWalletChildKey(ctx, 0, 1, false, false, NULL), -EINVAL);
	EXPECT(zkGenWalletChildKey(ctx, 528, 1, false, false, NULL), -EINVAL);
	EXPECT(zkAddSLIP39MemberPassword(ctx, "", &out), -EINVAL);
	CHECK(out == NULL);
}

int main(void)
{
	zkCTX ctx = opened();
	recovery(ctx);
	oversight(ctx);
	shares(ctx);
	errors(ctx);
	OK(zkClose(ctx));
	return 0;
}
