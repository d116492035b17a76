/* SPDX-License-Identifier: Apache-2.0 */

/* A program in C++ as one is written for the vendor's class, with his names and habits. */
#include <zkAppUtilsClass.h>
#include <zk_b64.h>

#include <cstdio>
#include <memory>

using namespace zkAppUtils;

#define CHECK(condition) (void)((condition) || (std::printf("%s:%d: %s\n", __FILE__, __LINE__, #condition), 0))

static void keys(zkClass &zk)
{
	byteArray digest(32, 7);
	std::unique_ptr<byteArray> sig(zk.genECDSASigFromDigest(digest));
	CHECK(sig->size() == 64 && zk.verifyECDSASigFromDigest(digest, *sig));
	digest[0]++;
	CHECK(!zk.verifyECDSASigFromDigest(digest, *sig));
	int slot = zk.genKeyPair(ZK_SECP256K1);
	std::unique_ptr<byteArray> pk(zk.exportPubKey(slot));
	int foreign = zk.storeForeignPubKey(ZK_SECP256K1, *pk);
	uint8_t recovery = 9;
	sig.reset(zk.genECDSASigFromDigest(digest, recovery, slot));
	CHECK(recovery < 2 && zk.verifyECDSASigFromDigest(digest, *sig, foreign, true));
	std::unique_ptr<intArray> slots(zk.getAllocSlotsList(false)), others(zk.getAllocSlotsList(true));
	CHECK(slots->back() == slot && *others == intArray(1, foreign));
	zk.removeKey(foreign, true);
	zk.removeKey(slot);
}

static void data(zkClass &zk)
{
	byteArray plain(100, 3);
	std::unique_ptr<byteArray> locked(zk.lockData(plain)), again(zk.unlockData(*locked));
	CHECK(*again == plain);
	zk.lockData(plain, "locked");
	again.reset(zk.unlockData(std::string("locked")));
	CHECK(*again == plain);
	std::unique_ptr<byteArray> random(zk.getRandBytes(40));
	CHECK(random->size() == 40);
}

static void wallet(zkClass &zk)
{
	std::string name = "class", words, address, found;
	int master = zk.genWalletMasterSeed(ZK_SECP256K1, name, recoveryStrategyBIP39(), &words);
	byteArray code, generator;
	int child = zk.genWalletChildKey(master, 44, true, true, &code);
	CHECK(code.size() == 32 && zk.getWalletNodeAddrFromKeySlot(child, &address, &found) == master);
	CHECK(address == "m/44'" && found == name && zk.getWalletKeySlotFromNodeAddr(address, name, 0) == child);
	zk.removeKey(master);
	recoveryStrategyBIP39 strategy;
	master = zk.restoreWalletMasterSeedFromMnemonic(ZK_SECP256K1, name, generator, strategy, words);
	zk.removeKey(master);
}

static void base64()
{
	for (int n = 0; n < 70; n++) {
		byteArray in(n, static_cast<uint8_t>(n * 37));
		int size = -1, length = -1;
		char *text = zkB64Encode(in.data(), n, &length);
		uint8_t *out = zkB64Decode(text, length, &size);
		CHECK(out && size == n && byteArray(out, out + size) == in && length == static_cast<int>(std::strlen(text)));
		std::free(text);
		std::free(out);
	}
	for (const char *bad : {"A", "AAA", "A===", "AA=A", "====", "AA A", "\xff\xff\xff\xff"})
		CHECK(!zkB64Decode(bad, static_cast<int>(std::strlen(bad)), NULL));
}

int main()
{
	zkClass zk;
	keys(zk);
	data(zk);
	wallet(zk);
	base64();
	std::unique_ptr<std::string> model(zk.getModelNumberString());
	CHECK(*model == "Soft SCM");
	try {
		zk.removeKey(400);
		CHECK(!"a key that is not there was removed");
	} catch (commonException &e) {
		CHECK(std::strstr(e.what(), "zkRemoveKey"));
	}
	try {
		zk.waitForTap(1);
		CHECK(!"nobody has tapped");
	} catch (timeoutException &) {
	}
	return 0;
}
