/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A library of the time before the list of slots, with keys in slots 0 to 2 and
 * signatures that are not theirs. Its outputs are large, so that one which is not
 * released shows; two younger functions that give strings are there for that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "zk_app_utils.h"

enum { LARGE = 1 << 20 };

/* The public key of a module, published by its maker as an example. */
static const uint8_t key[64] = {
	0x6c, 0xd0, 0xb8, 0xb1, 0x49, 0x63, 0xf6, 0x71, 0x28, 0x77, 0xeb, 0x50, 0xa3, 0xf5, 0xaf, 0xa9,
	0xc0, 0xe3, 0x94, 0x83, 0xe5, 0x60, 0xf5, 0x8e, 0xb7, 0x95, 0xe6, 0x34, 0xdf, 0x53, 0xf3, 0x99,
	0xba, 0x37, 0x0d, 0xbc, 0xeb, 0x71, 0xea, 0x87, 0xcb, 0xa5, 0xe2, 0xfc, 0xa4, 0xf2, 0x3e, 0xf7,
	0x3b, 0x8e, 0x68, 0x3a, 0x99, 0x46, 0x75, 0x88, 0x29, 0xf7, 0x65, 0x21, 0xe7, 0xa1, 0x9e, 0x5a,
};

static uint8_t *large(const uint8_t *from, size_t n)
{
	uint8_t *p = malloc(LARGE);
	memset(p, 0x5a, LARGE);
	if (from)
		memcpy(p, from, n);
	return p;
}

int zkOpen(zkCTX *ctx)
{
	*ctx = (zkCTX)key;
	return 0;
}

int zkClose(zkCTX ctx)
{
	return ctx == (zkCTX)key ? 0 : -EBADF;
}

int zkGetRandBytes(zkCTX ctx, uint8_t **data, int size)
{
	(void)ctx, (void)size;
	*data = large(NULL, 0);
	return 0;
}

int zkGetECDSAPubKey(zkCTX ctx, uint8_t **pk, int *size, int slot)
{
	if (ctx != (zkCTX)key || slot > 2)
		return -EINVAL;
	*pk = large(key, sizeof key);
	*size = sizeof key;
	return 0;
}

int zkGenECDSASigFromDigest(zkCTX ctx, const uint8_t *digest, int slot, uint8_t **sig, int *size)
{
	(void)ctx, (void)digest, (void)slot;
	*sig = large(key, sizeof key);
	*size = 64;
	return 0;
}

static char *large_text(void)
{
	char *text = (char *)large(NULL, 0);
	text[LARGE - 1] = 0;
	return text;
}

int zkGetSupervisedBootFileManifest(zkCTX ctx, char **manifest)
{
	(void)ctx;
	*manifest = large_text();
	return 0;
}

int zkGenWalletMasterSeedWithBIP39(zkCTX ctx, ZK_EC_KEY_TYPE type, const char *variant, const char *name,
				   const uint8_t *generator, int size, const char *passphrase, char **mnemonic)
{
	(void)ctx, (void)type, (void)variant, (void)name, (void)generator, (void)size, (void)passphrase;
	*mnemonic = large_text();
	return 16;
}
