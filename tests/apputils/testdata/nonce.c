/* SPDX-License-Identifier: Apache-2.0 */

/* nonce 0|1: whether two signatures of one digest by one ECDSA key differ. */
#include "check.h"

enum { MOST = 200 };

static void sign(zkCTX ctx, int slot, uint8_t out[64])
{
	uint8_t *sig = NULL;
	int size = 0;
	OK(zkGenECDSASigFromDigest(ctx, digest, slot, &sig, &size));
	CHECK(size == 64);
	memcpy(out, sig, 64);
	free(sig);
}

static void slot(zkCTX ctx, int slot, int differ)
{
	uint8_t first[64], again[64];
	sign(ctx, slot, first);
	sign(ctx, slot, again);
	CHECK((memcmp(first, again, 64) != 0) == differ);
	if (!differ)
		return;
	for (int low = 0, tries = 0; !low; tries++) { /* a program that wants the lower s */
		CHECK(tries < MOST);
		sign(ctx, slot, again);
		low = again[32] < 0x7f;
	}
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	int differ = atoi(argv[1]), master;
	char *words = NULL;
	zkCTX ctx = opened();
	slot(ctx, 0, differ);
	slot(ctx, zkGenKeyPair(ctx, ZK_SECP256K1), differ);
	master = zkGenWalletMasterSeedWithBIP39(ctx, ZK_SECP256K1, "", "w", NULL, 0, "", &words);
	CHECK(master >= 16);
	slot(ctx, master, differ);
	free(words);
	OK(zkClose(ctx));
	return 0;
}
