/* SPDX-License-Identifier: Apache-2.0 */

/* The ways of single functions: what the vendor does not tell, and what broken ones do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ways.h"

/* Whether a number may stand in a list of own slots. */
static bool listed(zkCTX ctx, int slot)
{
	uint8_t *key = NULL;
	int size;
	if ((way("no-permanent") && slot < 16) || (way("no-25519") && (slot == 14 || slot == 15)))
		return false;
	if (!way("no-seeds"))
		return true;
	bool shown = belowExportPubKey(ctx, &key, &size, slot, false) == 0;
	free(key);
	return shown;
}

/* Alters a list of own slots, and returns how many it has then. There is room for five more. */
static int alter(zkCTX ctx, int *list, int size)
{
	static const int odd[] = {-1, 528, 654, 100000, -2147483647 - 1};
	int n = 0;
	for (int i = 0; i < size; i++)
		if (listed(ctx, list[i]))
			list[n++] = list[i];
	for (int i = 0; way("reversed") && i < n / 2; i++) {
		int first = list[i];
		list[i] = list[n - 1 - i];
		list[n - 1 - i] = first;
	}
	for (int i = 0; way("odd-slots") && i < 5; i++)
		list[n++] = odd[i];
	for (int i = 0; way("doubled") && i < 5; i++)
		list[n++] = list[0];
	return n;
}

int zkGetAllocSlotsList(zkCTX ctx, bool foreign, int *most, int **list, int *size)
{
	const char *code = way(foreign ? "foreign-list=" : "own-list=");
	int rc = code ? atoi(code) : belowGetAllocSlotsList(ctx, foreign, most, list, size);
	if (rc < 0)
		return rc;
	if (!foreign) {
		*list = realloc(*list, (*size + 5) * sizeof **list);
		*size = alter(ctx, *list, *size);
	}
	if (way("most="))
		*most = atoi(way("most="));
	if (way(foreign ? "foreign-size=" : "own-size="))
		*size = atoi(way(foreign ? "foreign-size=" : "own-size="));
	if (way(foreign ? "foreign-null" : "own-null")) {
		free(*list);
		*list = NULL;
		*size = 0;
	}
	return rc;
}

/* A copy with something before and after it. */
static uint8_t *between(uint8_t *p, int *size, const char *before, int nbefore, int after)
{
	uint8_t *all = calloc(1, (size_t)(nbefore + *size + after));
	memcpy(all, before, (size_t)nbefore);
	memcpy(all + nbefore, p, (size_t)*size);
	free(p);
	*size += nbefore + after;
	return all;
}

int zkExportPubKey(zkCTX ctx, uint8_t **pk, int *size, int slot, bool foreign)
{
	const char *n = way(slot < 16 ? "hidden-permanent=" : "hidden-user=");
	if (n && !foreign)
		return atoi(n);
	int rc = belowExportPubKey(ctx, pk, size, foreign || !way("swapped") ? slot : slot ^ 1, foreign);
	if (rc < 0)
		return rc;
	if (*size == 64 && way("pk=65"))
		*pk = between(*pk, size, "\4", 1, 0);
	if (*size == 64 && way("pk=33")) {
		uint8_t parity = 2 + ((*pk)[63] & 1);
		*size = 32;
		*pk = between(*pk, size, (const char *)&parity, 1, 0);
	}
	if (*size == 64 && way("pk=66"))
		*pk = between(*pk, size, "", 0, 2);
	if (*size == 32 && way("ed=33"))
		*pk = between(*pk, size, "\100", 1, 0);
	if (*size == 32 && way("ed=64"))
		*pk = between(*pk, size, "", 0, 32);
	if (*size == 64 && way("pk=garbage"))
		memset(*pk, 0xff, (size_t)*size);
	if (way("pk-size="))
		*size = atoi(way("pk-size="));
	if (way("pk=null")) {
		free(*pk);
		*pk = NULL;
	}
	return rc;
}

/* An INTEGER of DER, and what follows it. */
static uint8_t *integer(uint8_t *to, const uint8_t *n)
{
	int skip = 0;
	while (skip < 31 && n[skip] == 0)
		skip++;
	int zero = n[skip] >> 7;
	*to++ = 2;
	*to++ = (uint8_t)(32 - skip + zero);
	if (zero)
		*to++ = 0;
	memcpy(to, n + skip, (size_t)(32 - skip));
	return to + 32 - skip;
}

static uint8_t *der(uint8_t *raw, int *size)
{
	uint8_t *all = malloc(80), *end = integer(integer(all + 2, raw), raw + 32);
	all[0] = 0x30;
	all[1] = (uint8_t)(end - all - 2);
	*size = (int)(end - all);
	free(raw);
	return all;
}

int zkGenECDSASigFromDigest(zkCTX ctx, const uint8_t *digest, int slot, uint8_t **sig, int *size)
{
	bool edwards = slot == 14 || slot == 15;
	uint8_t other[32];
	for (int i = 0; i < 32; i++)
		other[i] = (uint8_t)~digest[i];
	if (edwards && way("ed-refuses="))
		return atoi(way("ed-refuses="));
	int rc = belowGenECDSASigFromDigest(ctx, (edwards && way("ed-hash")) || way("sig=other") ? other : digest, slot, sig, size);
	if (rc < 0)
		return rc;
	if (!edwards && way("sig=der"))
		*sig = der(*sig, size);
	if (!edwards && way("sig=65"))
		*sig = between(*sig, size, "", 0, 1);
	if (way("sig-size="))
		*size = atoi(way("sig-size="));
	if (way("sig=null")) {
		free(*sig);
		*sig = NULL;
	}
	return rc;
}

int zkDoRawECDH(zkCTX ctx, int slot, const uint8_t *peer, int size, uint8_t **secret)
{
	if (slot < 16 && way("no-agreement="))
		return atoi(way("no-agreement="));
	return belowDoRawECDH(ctx, slot, peer, size, secret);
}

int zkGenKeyPair(zkCTX ctx, ZK_EC_KEY_TYPE type)
{
	if (way("made="))
		return atoi(way("made="));
	return belowGenKeyPair(ctx, type);
}

int zkGetWalletNodeAddrFromKeySlot(zkCTX ctx, int slot, char **address, char **name, int *master)
{
	int rc = belowGetWalletNodeAddrFromKeySlot(ctx, slot, address, name, master);
	return rc < 0 && way("no-wallet=") ? atoi(way("no-wallet=")) : rc;
}

int zkUnlockDataB2B(zkCTX ctx, const uint8_t *in, int insize, uint8_t **out, int *size, bool shared)
{
	int rc = belowUnlockDataB2B(ctx, in, insize, out, size, shared);
	if (rc != -EBADMSG)
		return rc >= 0 && way("unlocked=") ? atoi(way("unlocked=")) : rc;
	*size = 0;
	*out = way("not-unlocked=null") ? NULL : malloc(1);
	return 0;
}

int zkLockDataB2B(zkCTX ctx, const uint8_t *in, int insize, uint8_t **out, int *size, bool shared)
{
	if (way("lock-most=") && insize > atoi(way("lock-most=")))
		return -EMSGSIZE;
	return belowLockDataB2B(ctx, in, insize, out, size, shared);
}

int zkGetRandBytes(zkCTX ctx, uint8_t **out, int size)
{
	if (way("random-most=") && size > atoi(way("random-most=")))
		return -EINVAL;
	return belowGetRandBytes(ctx, out, size);
}

/* Puts the word of a string in its place: the rest of the line, or NULL for "null". */
static int text(int rc, const char *word, char **to)
{
	const char *said = way(word);
	if (rc < 0 || !said)
		return rc;
	free(*to);
	size_t n = strcspn(said, "\n");
	*to = n == 4 && strncmp(said, "null", 4) == 0 ? NULL : strndup(said, n);
	return rc;
}

int zkGetModelNumberString(zkCTX ctx, char **to) { return text(belowGetModelNumberString(ctx, to), "model=", to); }
int zkGetSerialNumberString(zkCTX ctx, char **to) { return text(belowGetSerialNumberString(ctx, to), "serial=", to); }
int zkGetFirmwareVersionString(zkCTX ctx, char **to) { return text(belowGetFirmwareVersionString(ctx, to), "firmware=", to); }
int zkGetSupervisedBootFileManifest(zkCTX ctx, char **to) { return text(belowGetSupervisedBootFileManifest(ctx, to), "manifest=", to); }
