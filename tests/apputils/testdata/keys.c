/* SPDX-License-Identifier: Apache-2.0 */

/* Key slots, random numbers, agreement and the strings of the module. */
#include "check.h"

static int listed(zkCTX ctx, int slot)
{
	int capacity = 0, *list = NULL, n = 0, found = 0;
	OK(zkGetAllocSlotsList(ctx, false, &capacity, &list, &n));
	CHECK(capacity >= n && n >= 16 && list != NULL);
	for (int i = 0; i < n; i++) {
		CHECK(i == 0 || list[i] > list[i - 1]);
		found |= list[i] == slot;
	}
	free(list);
	return found;
}

static int public_size(zkCTX ctx, int slot)
{
	uint8_t *pk = NULL;
	int size = 0;
	int rc = zkExportPubKey(ctx, &pk, &size, slot, false);
	if (rc == 0)
		CHECK(pk != NULL);
	free(pk);
	return rc < 0 ? rc : size;
}

static void slots(zkCTX ctx)
{
	static const int sizes[] = {64, 64, 32, 32};
	for (int curve = ZK_NISTP256; curve <= ZK_X25519; curve++) {
		int slot = zkGenKeyPair(ctx, curve);
		EXPECT(slot, 16);
		CHECK(listed(ctx, slot));
		EXPECT(public_size(ctx, slot), sizes[curve]);
		EXPECT(signs(ctx, slot), curve == ZK_X25519 ? -EOPNOTSUPP : 0);
		OK(zkRemoveKey(ctx, slot, false));
		CHECK(!listed(ctx, slot));
		EXPECT(zkRemoveKey(ctx, slot, false), -ENOENT);
		EXPECT(signs(ctx, slot), -ENOENT);
		EXPECT(public_size(ctx, slot), -ENOENT);
	}
	EXPECT(zkRemoveKey(ctx, 0, false), -EPERM);
	EXPECT(zkRemoveKey(ctx, 15, false), -EPERM);
	EXPECT(zkGenKeyPair(ctx, 4), -EOPNOTSUPP);
	EXPECT(zkGenKeyPair(ctx, -1), -EOPNOTSUPP);
}

static void ranges(zkCTX ctx)
{
	static const int bad[] = {-2, 528, 100000, 0x7fffffff, -0x7fffffff - 1};
	for (int i = 0; i < (int)(sizeof bad / sizeof *bad); i++) {
		EXPECT(signs(ctx, bad[i]), -EINVAL);
		EXPECT(public_size(ctx, bad[i]), -EINVAL);
		EXPECT(zkRemoveKey(ctx, bad[i], false), -EINVAL);
	}
	uint8_t *out = NULL;
	int n = 0;
	EXPECT(zkGenECDSASigFromDigest(ctx, NULL, 0, &out, &n), -EINVAL);
	EXPECT(zkGenECDSASigFromDigest(ctx, digest, 0, NULL, &n), -EINVAL);
	EXPECT(zkGenECDSASigFromDigest(ctx, digest, 0, &out, NULL), -EINVAL);
	EXPECT(zkExportPubKey(ctx, NULL, &n, 0, false), -EINVAL);
	EXPECT(zkGetAllocSlotsList(ctx, false, &n, NULL, &n), -EINVAL);
	EXPECT(zkGetRandBytes(ctx, &out, -1), -EINVAL);
	EXPECT(zkGetRandBytes(ctx, &out, 0x7fffffff), -EMSGSIZE);
	EXPECT(zkGetRandBytes(ctx, NULL, 1), -EINVAL);
	CHECK(out == NULL);
}

static void random_bytes(zkCTX ctx)
{
	uint8_t *a = NULL, *b = NULL;
	OK(zkGetRandBytes(ctx, &a, 512));
	OK(zkGetRandBytes(ctx, &b, 512));
	CHECK(memcmp(a, b, 512) != 0);
	free(a);
	free(b);
	OK(zkGetRandBytes(ctx, &a, 0));
	CHECK(a != NULL);
	free(a);
}

/* A key that is hidden is for use inside. */
static void hidden_peer(zkCTX ctx, uint8_t *peer, int size, const uint8_t *secret)
{
	uint8_t *same = NULL, *shown = NULL;
	int slot = zkStoreForeignPubKey(ctx, ZK_NISTP256, peer, size);
	CHECK(slot >= 0);
	OK(zkDisablePubKeyExport(ctx, slot, true));
	EXPECT(zkExportPubKey(ctx, &shown, &size, slot, true), -EPERM);
	OK(zkDoRawECDHWithIntPeerPubkey(ctx, 0, slot, true, &same));
	CHECK(memcmp(secret, same, 32) == 0);
	free(same);
	OK(zkRemoveKey(ctx, slot, true));
}

/* Both sides of an agreement are slots of this module. */
static void agreement(zkCTX ctx)
{
	uint8_t *raw = NULL, *same = NULL, *peer = NULL, *key = NULL, *key2 = NULL;
	int size = 0;
	OK(zkExportPubKey(ctx, &peer, &size, 1, false));
	OK(zkDoRawECDH(ctx, 0, peer, size, &raw));
	OK(zkDoRawECDHWithIntPeerPubkey(ctx, 1, 0, false, &same));
	CHECK(memcmp(raw, same, 32) == 0);
	for (int kdf = ZK_KDF_RFC5869_SHA256; kdf <= ZK_KDF_PBKDF2_SHA512; kdf++) {
		OK(zkDoECDHAndKDF(ctx, kdf, 0, peer, size, digest, 32, digest, 7, 10, 100, &key));
		OK(zkDoECDHAndKDFWithIntPeerPubkey(ctx, kdf, 1, 0, false, digest, 32, digest, 7, 10, 100, &key2));
		CHECK(memcmp(key, key2, 100) == 0 && memcmp(key, raw, 32) != 0);
		free(key);
		free(key2);
	}
	hidden_peer(ctx, peer, size, raw);
	EXPECT(zkDoRawECDH(ctx, 0, peer, size - 1, &key), -EINVAL);
	EXPECT(zkDoRawECDH(ctx, 14, peer, size, &key), -EOPNOTSUPP);
	EXPECT(zkDoECDHAndKDF(ctx, 4, 0, peer, size, NULL, 0, NULL, 0, 1, 32, &key), -EINVAL);
	EXPECT(zkDoECDHAndKDF(ctx, 0, 0, peer, size, peer, 129, NULL, 0, 1, 32, &key), -EINVAL);
	EXPECT(zkDoECDHAndKDF(ctx, 0, 0, peer, size, NULL, 0, NULL, 0, 1, 8160, &key), -EINVAL);
	EXPECT(zkDoECDHAndKDF(ctx, 2, 0, peer, size, NULL, 0, NULL, 0, 0, 32, &key), -EINVAL);
	free(raw);
	free(same);
	free(peer);
}

static void strings(zkCTX ctx)
{
	char *model = NULL, *firmware = NULL, *serial = NULL;
	OK(zkGetModelNumberString(ctx, &model));
	OK(zkGetFirmwareVersionString(ctx, &firmware));
	OK(zkGetSerialNumberString(ctx, &serial));
	CHECK(strcmp(model, "Soft SCM") == 0 && *firmware && strlen(serial) == 16);
	free(model);
	free(firmware);
	free(serial);
	EXPECT(zkGetModelNumberString(ctx, NULL), -EINVAL);
}

int main(void)
{
	zkCTX ctx = opened();
	slots(ctx);
	ranges(ctx);
	random_bytes(ctx);
	agreement(ctx);
	strings(ctx);
	OK(zkClose(ctx));
	return 0;
}
