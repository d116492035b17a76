/* SPDX-License-Identifier: Apache-2.0 */
/* The ways of single functions: what the vendor does not tell, and what broken ones do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "zk_app_utils.h"

/* What follows a word in the file of ways, NULL when it is not there. */
const char *way(const char *word);

/* belowX is zkX of the library below, with the answers of hand.c. */
#define BELOW(NAME, PARAMETERS, ARGUMENTS) int below##NAME PARAMETERS;
ZK_FUNCTIONS(BELOW)

/* The number after a word, or what there would be without it. */
static int told(const char *word, int otherwise) { return way(word) ? atoi(way(word)) : otherwise; }

/* Has a word take away what was given. */
static void take(const char *word, void *to)
{
	if (!way(word))
		return;
	free(*(void **)to);
	*(void **)to = NULL;
}

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
	for (int i = 0; i < 5 && (way("odd-slots") || way("doubled")); i++)
		list[n++] = way("doubled") ? list[0] : odd[i];
	return n;
}

int zkGetAllocSlotsList(zkCTX ctx, bool foreign, int *most, int **list, int *size)
{
	int rc = told(foreign ? "foreign-list=" : "own-list=", 0);
	if (rc || (rc = belowGetAllocSlotsList(ctx, foreign, most, list, size)) < 0)
		return rc;
	if (!foreign) {
		*list = realloc(*list, (*size + 5) * sizeof **list);
		*size = alter(ctx, *list, *size);
	}
	*most = told("most=", *most);
	*size = told(foreign ? "foreign-size=" : "own-size=", way(foreign ? "foreign-null" : "own-null") ? 0 : *size);
	take(foreign ? "foreign-null" : "own-null", list);
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
	static const struct { const char *word; int size; const char *before; int nbefore, after; } forms[] = {
		{"pk=65", 64, "\4", 1, 0}, {"pk=66", 64, "", 0, 2}, {"ed=33", 32, "\100", 1, 0}, {"ed=64", 32, "", 0, 32},
	};
	int rc = foreign ? 0 : told(slot < 16 ? "hidden-permanent=" : "hidden-user=", 0), was;
	if (rc || (rc = belowExportPubKey(ctx, pk, size, slot, foreign)) < 0)
		return rc;
	was = *size;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (was == forms[i].size && way(forms[i].word))
			*pk = between(*pk, size, forms[i].before, forms[i].nbefore, forms[i].after);
	if (was == 64 && way("pk=33")) {
		uint8_t parity = 2 + ((*pk)[63] & 1);
		*size = 32;
		*pk = between(*pk, size, (const char *)&parity, 1, 0);
	}
	if (was == 64 && way("pk=garbage"))
		memset(*pk, 0xff, (size_t)*size);
	*size = told("pk-size=", *size);
	take("pk=null", pk);
	return rc;
}

/* An INTEGER of DER, and what follows it. */
static uint8_t *integer(uint8_t *to, const uint8_t *n)
{
	int skip = 0;
	while (skip < 31 && n[skip] == 0)
		skip++;
	int zero = n[skip] >> 7, size = 32 - skip + zero;
	to[0] = 2, to[1] = (uint8_t)size, to[2] = 0;
	memcpy(to + 2 + zero, n + skip, (size_t)(32 - skip));
	return to + 2 + size;
}

static uint8_t *der(uint8_t *raw, int *size)
{
	uint8_t *all = malloc(80), *end = integer(integer(all + 2, raw), raw + 32);
	*size = (int)(end - all);
	all[0] = 0x30, all[1] = (uint8_t)(*size - 2);
	free(raw);
	return all;
}

int zkGenECDSASigFromDigest(zkCTX ctx, const uint8_t *digest, int slot, uint8_t **sig, int *size)
{
	bool edwards = slot == 14 || slot == 15;
	int rc = edwards ? told("ed-refuses=", 0) : 0;
	uint8_t other[32];
	for (int i = 0; i < 32; i++)
		other[i] = (uint8_t)((edwards && way("ed-hash")) || way("sig=other") ? ~digest[i] : digest[i]);
	if (rc || (rc = belowGenECDSASigFromDigest(ctx, other, slot, sig, size)) < 0)
		return rc;
	if (!edwards && way("sig=der"))
		*sig = der(*sig, size);
	if (!edwards && way("sig=65"))
		*sig = between(*sig, size, "", 0, 1);
	*size = told("sig-size=", *size);
	take("sig=null", sig);
	return rc;
}

int zkDoRawECDH(zkCTX ctx, int slot, const uint8_t *peer, int size, uint8_t **secret)
{
	int rc = slot < 16 ? told("no-agreement=", 0) : 0;
	return rc ? rc : belowDoRawECDH(ctx, slot, peer, size, secret);
}

int zkGenKeyPair(zkCTX ctx, ZK_EC_KEY_TYPE type)
{
	return way("made=") ? told("made=", 0) : belowGenKeyPair(ctx, type);
}

int zkGetWalletNodeAddrFromKeySlot(zkCTX ctx, int slot, char **address, char **name, int *master)
{
	int rc = belowGetWalletNodeAddrFromKeySlot(ctx, slot, address, name, master);
	return rc < 0 ? told("no-wallet=", rc) : rc;
}

int zkUnlockDataB2B(zkCTX ctx, const uint8_t *in, int insize, uint8_t **out, int *size, bool shared)
{
	int rc = belowUnlockDataB2B(ctx, in, insize, out, size, shared);
	if (rc != -EBADMSG)
		return rc < 0 ? rc : told("unlocked=", rc);
	*size = 0;
	*out = way("not-unlocked=null") ? NULL : malloc(1);
	return 0;
}

int zkLockDataB2B(zkCTX ctx, const uint8_t *in, int insize, uint8_t **out, int *size, bool shared)
{
	return insize > told("lock-most=", insize) ? -EMSGSIZE : belowLockDataB2B(ctx, in, insize, out, size, shared);
}

int zkGetRandBytes(zkCTX ctx, uint8_t **out, int size)
{
	return size > told("random-most=", size) ? -EINVAL : belowGetRandBytes(ctx, out, size);
}

/* Puts a word in the place of a string: the rest of the line, or NULL for "null". */
static int text(int rc, const char *word, char **to)
{
	const char *said = way(word);
	if (rc < 0 || !said)
		return rc;
	free(*to);
	*to = strncmp(said, "null\n", 5) == 0 ? NULL : strndup(said, strcspn(said, "\n"));
	return rc;
}

int zkGetModelNumberString(zkCTX ctx, char **to) { return text(belowGetModelNumberString(ctx, to), "model=", to); }
int zkGetSerialNumberString(zkCTX ctx, char **to) { return text(belowGetSerialNumberString(ctx, to), "serial=", to); }
int zkGetFirmwareVersionString(zkCTX ctx, char **to) { return text(belowGetFirmwareVersionString(ctx, to), "firmware=", to); }
int zkGetSupervisedBootFileManifest(zkCTX ctx, char **to) { return text(belowGetSupervisedBootFileManifest(ctx, to), "manifest=", to); }
