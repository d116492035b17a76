/* SPDX-License-Identifier: Apache-2.0 */

/* Foreign keys, verification, hidden and ephemeral keys. */
#include "check.h"

/* A signature of a module, published by its maker as an example: SHA-256 of "hello world". */
static uint8_t example_key[64] = {
	0x6c, 0xd0, 0xb8, 0xb1, 0x49, 0x63, 0xf6, 0x71, 0x28, 0x77, 0xeb, 0x50, 0xa3, 0xf5, 0xaf, 0xa9,
	0xc0, 0xe3, 0x94, 0x83, 0xe5, 0x60, 0xf5, 0x8e, 0xb7, 0x95, 0xe6, 0x34, 0xdf, 0x53, 0xf3, 0x99,
	0xba, 0x37, 0x0d, 0xbc, 0xeb, 0x71, 0xea, 0x87, 0xcb, 0xa5, 0xe2, 0xfc, 0xa4, 0xf2, 0x3e, 0xf7,
	0x3b, 0x8e, 0x68, 0x3a, 0x99, 0x46, 0x75, 0x88, 0x29, 0xf7, 0x65, 0x21, 0xe7, 0xa1, 0x9e, 0x5a,
};
static const uint8_t example_digest[32] = {
	0xb9, 0x4d, 0x27, 0xb9, 0x93, 0x4d, 0x3e, 0x08, 0xa5, 0x2e, 0x52, 0xd7, 0xda, 0x7d, 0xab, 0xfa,
	0xc4, 0x84, 0xef, 0xe3, 0x7a, 0x53, 0x80, 0xee, 0x90, 0x88, 0xf7, 0xac, 0xe2, 0xef, 0xcd, 0xe9,
};
static const uint8_t example_sig[64] = {
	0x28, 0x95, 0x3e, 0x99, 0xdc, 0xc7, 0xf7, 0xeb, 0xf2, 0x77, 0x1a, 0xca, 0xe9, 0xe9, 0x96, 0xe4,
	0x59, 0x97, 0xa2, 0x12, 0xf7, 0xde, 0xba, 0x04, 0xa5, 0x97, 0x4d, 0x1d, 0xb6, 0x65, 0x1f, 0xc8,
	0xc5, 0x0f, 0x11, 0xa5, 0xe5, 0xad, 0x24, 0xef, 0x25, 0xbd, 0xf0, 0xda, 0xfb, 0xdb, 0x73, 0x65,
	0x13, 0xf6, 0x18, 0x18, 0x45, 0x05, 0xf4, 0x69, 0xf1, 0x26, 0xc7, 0xdd, 0x45, 0x57, 0xca, 0xde,
};

static int count(zkCTX ctx, bool foreign)
{
	int capacity = 0, *list = NULL, n = 0;
	OK(zkGetAllocSlotsList(ctx, foreign, &capacity, &list, &n));
	free(list);
	return n;
}

static void real_signature(zkCTX ctx)
{
	uint8_t bad[64];
	int slot = zkStoreForeignPubKey(ctx, ZK_NISTP256, example_key, 64);
	EXPECT(slot, 0);
	EXPECT(count(ctx, true), 1);
	EXPECT(zkVerifyECDSASigFromDigestWithForeignKeySlot(ctx, example_digest, slot, example_sig, 64), 1);
	memcpy(bad, example_sig, 64);
	bad[63] ^= 1;
	EXPECT(zkVerifyECDSASigFromDigestWithForeignKeySlot(ctx, example_digest, slot, bad, 64), 0);
	EXPECT(zkVerifyECDSASigFromDigestWithForeignKeySlot(ctx, digest, slot, example_sig, 64), 0);
	EXPECT(zkVerifyECDSASigFromDigestWithForeignKeySlot(ctx, example_digest, slot, example_sig, 63), -EINVAL);
	EXPECT(zkVerifyECDSASigFromDigestWithForeignKeySlot(ctx, example_digest, 1, example_sig, 64), -ENOENT);
	EXPECT(zkVerifyECDSASigFromDigestWithForeignKeySlot(ctx, example_digest, 128, example_sig, 64), -EINVAL);
	EXPECT(zkStoreForeignPubKey(ctx, ZK_NISTP256, bad, 64), -EINVAL);
	EXPECT(zkStoreForeignPubKey(ctx, ZK_NISTP256, example_key, 65), -EINVAL);
	EXPECT(zkStoreForeignPubKey(ctx, 9, example_key, 64), -EOPNOTSUPP);
}

/* Hidden keys are not given away and go on working. */
static void hidden(zkCTX ctx)
{
	uint8_t *pk = NULL;
	int n = 0;
	OK(zkDisablePubKeyExport(ctx, 0, true));
	EXPECT(zkExportPubKey(ctx, &pk, &n, 0, true), -EPERM);
	EXPECT(zkVerifyECDSASigFromDigestWithForeignKeySlot(ctx, example_digest, 0, example_sig, 64), 1);
	OK(zkRemoveKey(ctx, 0, true));
	EXPECT(count(ctx, true), 0);

	int slot = zkGenKeyPair(ctx, ZK_SECP256K1);
	OK(zkDisablePubKeyExport(ctx, slot, false));
	EXPECT(zkExportPubKey(ctx, &pk, &n, slot, false), -EPERM);
	EXPECT(zkExportPubKey2File(ctx, "/nowhere/key.pem", slot, false), -EPERM);
	OK(signs(ctx, slot));
	EXPECT(count(ctx, false), 17);
	OK(zkRemoveKey(ctx, slot, false));
}

static void recoverable(zkCTX ctx)
{
	for (int curve = ZK_NISTP256; curve <= ZK_ED25519; curve++) {
		int slot = zkGenKeyPair(ctx, curve);
		uint8_t *sig = NULL, parity = 9;
		int n = 0;
		OK(zkGenECDSASigFromDigestWithRecID(ctx, digest, slot, &sig, &n, &parity));
		CHECK(n == 64 && parity <= (curve == ZK_ED25519 ? 0 : 1));
		EXPECT(zkVerifyECDSASigFromDigest(ctx, digest, slot, sig, n), 1);
		EXPECT(zkVerifyECDSASigFromDigest(ctx, digest, 0, sig, n), 0);
		free(sig);
		OK(zkRemoveKey(ctx, slot, false));
	}
}

static void ephemeral(zkCTX ctx)
{
	uint8_t *secret = NULL, *other = NULL;
	EXPECT(zkDoRawECDH(ctx, -1, example_key, 64, &secret), -ENOENT);
	OK(zkGenEphemeralKeyPair(ctx, ZK_NISTP256));
	OK(zkDoRawECDH(ctx, -1, example_key, 64, &secret));
	OK(zkGenEphemeralKeyPair(ctx, ZK_NISTP256));
	OK(zkDoRawECDH(ctx, -1, example_key, 64, &other));
	CHECK(memcmp(secret, other, 32) != 0);
	OK(zkInvalidateEphemeralKey(ctx));
	EXPECT(zkDoRawECDH(ctx, -1, example_key, 64, &secret), -ENOENT);
	free(secret);
	free(other);
	EXPECT(zkGenEphemeralKeyPair(ctx, 4), -EOPNOTSUPP);
}

int main(void)
{
	zkCTX ctx = opened();
	real_signature(ctx);
	hidden(ctx);
	recoverable(ctx);
	ephemeral(ctx);
	OK(zkClose(ctx));
	return 0;
}
