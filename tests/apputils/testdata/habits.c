/* SPDX-License-Identifier: Apache-2.0 */

/* What the vendor's wrappers in other languages do with the library, and what it has to stand. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "zk_app_utils.h"

/* Wrappers look functions of older libraries up without a guard. */
static void older(void)
{
	static const char *const names[] = {"zkVerifyECDSASigFromDigestWithForeignKey", "zkSetGMTTime"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		int (*f)(zkCTX, const uint8_t *, int) = NULL;
		*(void **)&f = dlsym(RTLD_DEFAULT, names[i]);
		CHECK(f && f(NULL, NULL, 0) == -ENOSYS);
	}
}

/* The tests of wallets remove the seed, and after it the children, which are gone by then. */
static void seedFirst(zkCTX ctx)
{
	int seed = zkGenWalletMasterSeedWithBIP39(ctx, ZK_SECP256K1, "", "habits", NULL, 0, "", NULL);
	CHECK(seed >= 16);
	int child = zkGenWalletChildKey(ctx, seed, 1, false, false, NULL);
	int grandchild = zkGenWalletChildKey(ctx, child, 2, false, false, NULL);
	CHECK(child > seed && grandchild > child);
	CHECK(zkRemoveKey(ctx, seed, false) == 0);
	CHECK(zkRemoveKey(ctx, child, false) == 0);
	CHECK(zkRemoveKey(ctx, grandchild, false) == 0);
}

/* Two wrappers see the same list, and each of them releases it: they have asked twice. */
static void lists(zkCTX ctx)
{
	int *first, *second, most, size;
	CHECK(zkGetAllocSlotsList(ctx, false, &most, &first, &size) == 0);
	CHECK(zkGetAllocSlotsList(ctx, false, &most, &second, &size) == 0);
	CHECK(first != second);
	free(first);
	CHECK(second[0] == 0 && size == 16);
	free(second);
	CHECK(zkGetAllocSlotsList(ctx, true, &most, &first, &size) == 0);
	CHECK(first && size == 0); /* which is released, too */
	free(first);
}

/* Some pass buffers for strings that they take no length from: the end is the zero byte. */
static void strings(zkCTX ctx)
{
	char endless[8192], *text = NULL;
	memset(endless, 'a', sizeof endless);
	endless[sizeof endless - 1] = 0;
	int slot;
	CHECK(zkGetWalletKeySlotFromNodeAddr(ctx, "m", endless, 0, &slot) < 0);
	CHECK(zkGenWalletMasterSeedWithBIP39(ctx, ZK_SECP256K1, "", endless, NULL, 0, "", NULL) < 0);
	CHECK(zkGetSerialNumberString(ctx, &text) == 0);
	CHECK(text[strlen(text)] == 0 && strlen(text) == 16);
	free(text);
}

int main(void)
{
	zkCTX ctx;
	CHECK(zkOpen(&ctx) == 0);
	older();
	seedFirst(ctx);
	lists(ctx);
	strings(ctx);
	CHECK(zkClose(ctx) == 0);
	return 0;
}
