/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The C API of zk_app_utils.h as a class of C++, with the names of the vendor's header, for
 * programs that are written for that. All of it is in this header: a program links
 * libzk_app_utils.so alone. What a method returns by a pointer is the caller's, to delete.
 * A method throws timeoutException when the module does not answer in time or an event does
 * not come, and commonException for all other failures.
 */
#ifndef ZKAPPUTILSCLASS_H
#define ZKAPPUTILSCLASS_H 1

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "zk_app_utils.h"

namespace zkAppUtils
{

typedef std::vector<uint8_t> byteArray;
typedef std::vector<int> intArray;

class commonException : public std::exception
{
public:
	commonException(std::string status) : text(status) {}
	virtual ~commonException() throw() {}
	const char *what() const throw() { return text.c_str(); }

private:
	std::string text;
};

class timeoutException : public std::exception
{
public:
	timeoutException(std::string status) : text(status) {}
	virtual ~timeoutException() throw() {}
	const char *what() const throw() { return text.c_str(); }

private:
	std::string text;
};

struct accelData {
	double x, y, z;
	int tapDirX, tapDirY, tapDirZ;
};

/* How a wallet can be recovered: not at all, or by one of the two below. */
class recoveryStrategyBaseType
{
public:
	recoveryStrategyBaseType(const std::string &key_variant = "") : recoveryStrategy(ZK_NONE), variant(key_variant) {}
	virtual ~recoveryStrategyBaseType() {}
	ZK_RECOVERY_STRATEGY getRecoveryStrategy() const { return recoveryStrategy; }
	void setVariant(const std::string &key_variant) { variant = key_variant; }
	std::string getVariant() const { return variant; }
	virtual std::string getPassPhrase() const { return ""; }

protected:
	ZK_RECOVERY_STRATEGY recoveryStrategy;
	std::string variant;
};

class recoveryStrategyBIP39 : public recoveryStrategyBaseType
{
public:
	recoveryStrategyBIP39(const std::string &passphrase = "", const std::string &key_variant = "")
		: recoveryStrategyBaseType(key_variant), passPhrase(passphrase) { recoveryStrategy = ZK_BIP39; }
	void setPassPhrase(const std::string &passphrase) { passPhrase = passphrase; }
	std::string getPassPhrase() const { return passPhrase; }

private:
	std::string passPhrase;
};

class recoveryStrategySLIP39 : public recoveryStrategyBaseType
{
public:
	recoveryStrategySLIP39(int group_count, int group_threshold, int iteration_exponent,
			       const std::string &passphrase = "", const std::string &key_variant = "")
		: recoveryStrategyBaseType(key_variant), groupCount(group_count), groupThreshold(group_threshold),
		  iterationExponent(iteration_exponent), passPhrase(passphrase) { recoveryStrategy = ZK_SLIP39; }
	void setPassPhrase(const std::string &passphrase) { passPhrase = passphrase; }
	std::string getPassPhrase() const { return passPhrase; }
	void setGroupCount(int group_count) { groupCount = group_count; }
	int getGroupCount() const { return groupCount; }
	void setGroupThreshold(int group_threshold) { groupThreshold = group_threshold; }
	int getGroupThreshold() const { return groupThreshold; }
	void setIterationExponent(int iteration_exponent) { iterationExponent = iteration_exponent; }
	int getIterationExponent() const { return iterationExponent; }

private:
	int groupCount, groupThreshold, iterationExponent;
	std::string passPhrase;
};

/* An open context, from the constructor to the destructor. */
class zkClass
{
public:
	zkClass() : zkContext(NULL) { check("zkOpen", zkOpen(&zkContext)); }
	virtual ~zkClass() { zkClose(zkContext); }

	void createRandDataFile(std::string &dst_filename, int rdata_sz)
	{
		check("zkCreateRandDataFile", zkCreateRandDataFile(zkContext, dst_filename.c_str(), rdata_sz));
	}
	byteArray *getRandBytes(int rdata_sz)
	{
		uint8_t *p = NULL;
		check("zkGetRandBytes", zkGetRandBytes(zkContext, &p, rdata_sz));
		return bytes(p, rdata_sz);
	}

	void lockData(const std::string &src_pt_filename, const std::string &dst_ct_filename, bool use_shared_key = false)
	{
		check("zkLockDataF2F", zkLockDataF2F(zkContext, src_pt_filename.c_str(), dst_ct_filename.c_str(), use_shared_key));
	}
	/* A literal would be a bool before it is a string. */
	void lockData(const char *src_pt_filename, const char *dst_ct_filename, bool use_shared_key = false)
	{
		lockData(std::string(src_pt_filename), std::string(dst_ct_filename), use_shared_key);
	}
	void lockData(const byteArray &src_pt_data, const std::string &dst_ct_filename, bool use_shared_key = false)
	{
		check("zkLockDataB2F", zkLockDataB2F(zkContext, src_pt_data.data(), size(src_pt_data), dst_ct_filename.c_str(), use_shared_key));
	}
	void lockData(const byteArray &src_pt_data, const char *dst_ct_filename, bool use_shared_key = false)
	{
		lockData(src_pt_data, std::string(dst_ct_filename), use_shared_key);
	}
	byteArray *lockData(const std::string &src_pt_filename, bool use_shared_key = false)
	{
		uint8_t *p = NULL;
		int n = 0;
		check("zkLockDataF2B", zkLockDataF2B(zkContext, src_pt_filename.c_str(), &p, &n, use_shared_key));
		return bytes(p, n);
	}
	byteArray *lockData(const byteArray &src_pt_data, bool use_shared_key = false)
	{
		uint8_t *p = NULL;
		int n = 0;
		check("zkLockDataB2B", zkLockDataB2B(zkContext, src_pt_data.data(), size(src_pt_data), &p, &n, use_shared_key));
		return bytes(p, n);
	}

	void unlockData(const std::string &src_ct_filename, const std::string &dst_pt_filename, bool use_shared_key = false)
	{
		check("zkUnlockDataF2F", zkUnlockDataF2F(zkContext, src_ct_filename.c_str(), dst_pt_filename.c_str(), use_shared_key));
	}
	/* A literal would be a bool before it is a string. */
	void unlockData(const char *src_ct_filename, const char *dst_pt_filename, bool use_shared_key = false)
	{
		unlockData(std::string(src_ct_filename), std::string(dst_pt_filename), use_shared_key);
	}
	void unlockData(const byteArray &src_ct_data, const std::string &dst_pt_filename, bool use_shared_key = false)
	{
		check("zkUnlockDataB2F", zkUnlockDataB2F(zkContext, src_ct_data.data(), size(src_ct_data), dst_pt_filename.c_str(), use_shared_key));
	}
	void unlockData(const byteArray &src_ct_data, const char *dst_pt_filename, bool use_shared_key = false)
	{
		unlockData(src_ct_data, std::string(dst_pt_filename), use_shared_key);
	}
	byteArray *unlockData(const std::string &src_ct_filename, bool use_shared_key = false)
	{
		uint8_t *p = NULL;
		int n = 0;
		check("zkUnlockDataF2B", zkUnlockDataF2B(zkContext, src_ct_filename.c_str(), &p, &n, use_shared_key));
		return bytes(p, n);
	}
	byteArray *unlockData(const byteArray &src_ct_data, bool use_shared_key = false)
	{
		uint8_t *p = NULL;
		int n = 0;
		check("zkUnlockDataB2B", zkUnlockDataB2B(zkContext, src_ct_data.data(), size(src_ct_data), &p, &n, use_shared_key));
		return bytes(p, n);
	}

	byteArray *genECDSASigFromDigest(byteArray &digest, int slot = 0)
	{
		uint8_t *p = NULL;
		int n = 0;
		whole(digest);
		check("zkGenECDSASigFromDigest", zkGenECDSASigFromDigest(zkContext, digest.data(), slot, &p, &n));
		return bytes(p, n);
	}
	byteArray *genECDSASigFromDigest(byteArray &digest, uint8_t &recovery_id, int slot = 0)
	{
		uint8_t *p = NULL;
		int n = 0;
		whole(digest);
		check("zkGenECDSASigFromDigestWithRecID", zkGenECDSASigFromDigestWithRecID(zkContext, digest.data(), slot, &p, &n, &recovery_id));
		return bytes(p, n);
	}
	bool verifyECDSASigFromDigest(byteArray &digest, byteArray &sig, int pub_key_slot = 0, bool pub_key_is_foreign = false)
	{
		whole(digest);
		if (pub_key_is_foreign)
			return check("zkVerifyECDSASigFromDigestWithForeignKeySlot",
				     zkVerifyECDSASigFromDigestWithForeignKeySlot(zkContext, digest.data(), pub_key_slot, sig.data(), size(sig))) == 1;
		return check("zkVerifyECDSASigFromDigest",
			     zkVerifyECDSASigFromDigest(zkContext, digest.data(), pub_key_slot, sig.data(), size(sig))) == 1;
	}

	byteArray *doRawECDH(int slot, byteArray &peer_pubkey)
	{
		uint8_t *p = NULL;
		check("zkDoRawECDH", zkDoRawECDH(zkContext, slot, peer_pubkey.data(), size(peer_pubkey), &p));
		return bytes(p, secretSize);
	}
	byteArray *doRawECDHWithIntPeerPubkey(int slot, int peer_pubkey_slot, bool peer_pubkey_slot_is_foreign)
	{
		uint8_t *p = NULL;
		check("zkDoRawECDHWithIntPeerPubkey", zkDoRawECDHWithIntPeerPubkey(zkContext, slot, peer_pubkey_slot, peer_pubkey_slot_is_foreign, &p));
		return bytes(p, secretSize);
	}
	byteArray *doECDHAndKDF(ZK_ECDH_KDF_TYPE kdf_type, int slot, byteArray &peer_pubkey, byteArray &salt, byteArray &info,
				int num_iterations, int derived_key_sz)
	{
		uint8_t *p = NULL;
		check("zkDoECDHAndKDF", zkDoECDHAndKDF(zkContext, kdf_type, slot, peer_pubkey.data(), size(peer_pubkey), salt.data(), size(salt),
						       info.data(), size(info), num_iterations, derived_key_sz, &p));
		return bytes(p, derived_key_sz);
	}
	byteArray *doECDHAndKDFWithIntPeerPubkey(ZK_ECDH_KDF_TYPE kdf_type, int slot, int peer_pubkey_slot, bool peer_pubkey_slot_is_foreign,
						 byteArray &salt, byteArray &info, int num_iterations, int derived_key_sz)
	{
		uint8_t *p = NULL;
		check("zkDoECDHAndKDFWithIntPeerPubkey",
		      zkDoECDHAndKDFWithIntPeerPubkey(zkContext, kdf_type, slot, peer_pubkey_slot, peer_pubkey_slot_is_foreign, salt.data(), size(salt),
						      info.data(), size(info), num_iterations, derived_key_sz, &p));
		return bytes(p, derived_key_sz);
	}

	void saveECDSAPubKey2File(std::string dst_filename, int slot = 0)
	{
		check("zkSaveECDSAPubKey2File", zkSaveECDSAPubKey2File(zkContext, dst_filename.c_str(), slot));
	}
	void exportPubKey2File(std::string dst_filename, int pubkey_slot = 0, bool slot_is_foreign = false)
	{
		check("zkExportPubKey2File", zkExportPubKey2File(zkContext, dst_filename.c_str(), pubkey_slot, slot_is_foreign));
	}
	byteArray *getECDSAPubKey(int slot = 0)
	{
		uint8_t *p = NULL;
		int n = 0;
		check("zkGetECDSAPubKey", zkGetECDSAPubKey(zkContext, &p, &n, slot));
		return bytes(p, n);
	}
	byteArray *exportPubKey(int pubkey_slot = 0, bool slot_is_foreign = false)
	{
		uint8_t *p = NULL;
		int n = 0;
		check("zkExportPubKey", zkExportPubKey(zkContext, &p, &n, pubkey_slot, slot_is_foreign));
		return bytes(p, n);
	}
	intArray *getAllocSlotsList(bool foreign_key_pool)
	{
		int most, n = 0, *p = NULL;
		check("zkGetAllocSlotsList", zkGetAllocSlotsList(zkContext, foreign_key_pool, &most, &p, &n));
		intArray *list = new intArray(p, p + n);
		std::free(p);
		return list;
	}
	int storeForeignPubKey(ZK_EC_KEY_TYPE pk_type, byteArray &pk)
	{
		return check("zkStoreForeignPubKey", zkStoreForeignPubKey(zkContext, pk_type, pk.data(), size(pk)));
	}
	void disablePubKeyExport(int pubkey_slot, bool slot_is_foreign = false)
	{
		check("zkDisablePubKeyExport", zkDisablePubKeyExport(zkContext, pubkey_slot, slot_is_foreign));
	}
	int genKeyPair(ZK_EC_KEY_TYPE type) { return check("zkGenKeyPair", zkGenKeyPair(zkContext, type)); }
	void genEphemeralKeyPair(ZK_EC_KEY_TYPE type) { check("zkGenEphemeralKeyPair", zkGenEphemeralKeyPair(zkContext, type)); }
	void removeKey(int slot, bool slot_is_foreign = false) { check("zkRemoveKey", zkRemoveKey(zkContext, slot, slot_is_foreign)); }
	void invalidateEphemeralKey() { check("zkInvalidateEphemeralKey", zkInvalidateEphemeralKey(zkContext)); }

	int genWalletMasterSeed(ZK_EC_KEY_TYPE type, std::string &wallet_name,
				const recoveryStrategyBaseType &recovery_strategy = recoveryStrategyBaseType(),
				const byteArray &master_generator_key = byteArray())
	{
		return check("zkGenWalletMasterSeedWithBIP39",
			     zkGenWalletMasterSeedWithBIP39(zkContext, type, recovery_strategy.getVariant().c_str(), wallet_name.c_str(),
							    master_generator_key.data(), size(master_generator_key),
							    recovery_strategy.getPassPhrase().c_str(), NULL));
	}
	int genWalletMasterSeed(ZK_EC_KEY_TYPE type, std::string &wallet_name, const recoveryStrategyBIP39 &recovery_strategy,
				std::string *mnemonic_str, const byteArray &master_generator_key = byteArray())
	{
		char *words = NULL;
		int slot = check("zkGenWalletMasterSeedWithBIP39",
				 zkGenWalletMasterSeedWithBIP39(zkContext, type, recovery_strategy.getVariant().c_str(), wallet_name.c_str(),
								master_generator_key.data(), size(master_generator_key),
								recovery_strategy.getPassPhrase().c_str(), mnemonic_str ? &words : NULL));
		give(mnemonic_str, words);
		return slot;
	}
	int genWalletMasterSeed(ZK_EC_KEY_TYPE type, std::string &wallet_name, const recoveryStrategySLIP39 &recovery_strategy,
				const byteArray &master_generator_key = byteArray())
	{
		const recoveryStrategySLIP39 &s = recovery_strategy;
		return check("zkGenWalletMasterSeedWithSLIP39",
			     zkGenWalletMasterSeedWithSLIP39(zkContext, type, s.getVariant().c_str(), wallet_name.c_str(), master_generator_key.data(),
							     size(master_generator_key), s.getGroupCount(), s.getGroupThreshold(),
							     s.getIterationExponent(), s.getPassPhrase().c_str()));
	}
	int setGenSLIP39GroupInfo(int group_index, int member_count, int member_threshold)
	{
		return check("zkSetSLIP39GroupInfo", zkSetSLIP39GroupInfo(zkContext, group_index, member_count, member_threshold));
	}
	/* -1 until the last share of the last group: then the slot of the seed. */
	int addGenSLIP39Member(std::string passphrase, std::string *mnemonic_str)
	{
		char *words = NULL;
		int slot = zkAddSLIP39MemberPassword(zkContext, passphrase.c_str(), &words);
		if (slot != -1 || !words)
			check("zkAddSLIP39MemberPassword", slot);
		give(mnemonic_str, words);
		return slot;
	}
	int cancelSLIP39Session() { return check("zkCancelSLIP39Session", zkCancelSLIP39Session(zkContext)); }
	int genOverSightWallet(ZK_EC_KEY_TYPE type, byteArray &public_key, byteArray &chain_code, std::string &node_address,
			       std::string &wallet_name, std::string &variant)
	{
		return check("zkGenOversightWallet", zkGenOversightWallet(zkContext, type, variant.c_str(), public_key.data(), chain_code.data(),
									  node_address.c_str(), wallet_name.c_str()));
	}
	int genWalletChildKey(int parent_key_slot, uint32_t index, bool is_hardened, bool return_chain_code, byteArray *chain_code)
	{
		uint8_t *p = NULL;
		int slot = check("zkGenWalletChildKey",
				 zkGenWalletChildKey(zkContext, parent_key_slot, index, is_hardened, return_chain_code, return_chain_code ? &p : NULL));
		if (p && chain_code)
			chain_code->assign(p, p + chainCodeSize);
		std::free(p);
		return slot;
	}
	int restoreWalletMasterSeedFromMnemonic(ZK_EC_KEY_TYPE type, std::string &wallet_name, byteArray &master_generator_key,
						recoveryStrategyBIP39 &recovery_strategy, std::string &mnemonic_str)
	{
		std::vector<char> words(mnemonic_str.c_str(), mnemonic_str.c_str() + mnemonic_str.size() + 1);
		return check("zkRestoreWalletMasterSeedFromBIP39Mnemonic",
			     zkRestoreWalletMasterSeedFromBIP39Mnemonic(zkContext, type, recovery_strategy.getVariant().c_str(), wallet_name.c_str(),
									master_generator_key.data(), size(master_generator_key),
									recovery_strategy.getPassPhrase().c_str(), words.data()));
	}
	int restoreWalletMasterSeedFromMnemonic(ZK_EC_KEY_TYPE type, std::string &wallet_name, byteArray &master_generator_key,
						recoveryStrategySLIP39 &recovery_strategy)
	{
		int rc = zkRestoreWalletMasterSeedFromSLIP39(zkContext, type, recovery_strategy.getVariant().c_str(), wallet_name.c_str(),
							     master_generator_key.data(), size(master_generator_key),
							     recovery_strategy.getPassPhrase().c_str());
		return rc == -1 ? rc : check("zkRestoreWalletMasterSeedFromSLIP39", rc);
	}
	/* -1 until there are enough shares: then the slot of the seed. */
	int addRestoreSLIP39Mnemonic(std::string passphrase, std::string mnemonic_sentence)
	{
		int rc = zkAddRestoreSLIP39Mnemonic(zkContext, passphrase.c_str(), mnemonic_sentence.c_str());
		return rc == -1 ? rc : check("zkAddRestoreSLIP39Mnemonic", rc);
	}
	int getWalletNodeAddrFromKeySlot(int slot, std::string *out_node_addr, std::string *out_wallet_name = NULL)
	{
		char *address = NULL, *name = NULL;
		int master = 0;
		check("zkGetWalletNodeAddrFromKeySlot", zkGetWalletNodeAddrFromKeySlot(zkContext, slot, &address, &name, &master));
		give(out_node_addr, address);
		give(out_wallet_name, name);
		return master;
	}
	int getWalletKeySlotFromNodeAddr(std::string &node_addr, std::string &wallet_name, int master_seed_slot)
	{
		int slot = 0;
		check("zkGetWalletKeySlotFromNodeAddr",
		      zkGetWalletKeySlotFromNodeAddr(zkContext, node_addr.c_str(), wallet_name.empty() ? NULL : wallet_name.c_str(), master_seed_slot, &slot));
		return slot;
	}

	void ledOff() { check("zkLEDOff", zkLEDOff(zkContext)); }
	void ledOn() { check("zkLEDOn", zkLEDOn(zkContext)); }
	void ledFlash(uint32_t on_ms, uint32_t off_ms = 0, uint32_t num_flashes = 0)
	{
		check("zkLEDFlash", zkLEDFlash(zkContext, on_ms, off_ms, num_flashes));
	}
	void setI2CAddr(int addr) { check("zkSetI2CAddr", zkSetI2CAddr(zkContext, addr)); }
	uint32_t getTime(bool precise_time = false)
	{
		uint32_t seconds = 0;
		check("zkGetTime", zkGetTime(zkContext, &seconds, precise_time));
		return seconds;
	}
	void setTapSensitivity(float pct, ZK_ACCEL_AXIS_TYPE axis = ZK_ACCEL_AXIS_ALL)
	{
		check("zkSetTapSensitivity", zkSetTapSensitivity(zkContext, axis, pct));
	}
	void waitForTap(uint32_t timeout_ms) { check("zkWaitForTap", zkWaitForTap(zkContext, timeout_ms)); }
	void getAccelerometerData(accelData &accel_data)
	{
		zkAccelAxisDataType x, y, z;
		check("zkGetAccelerometerData", zkGetAccelerometerData(zkContext, &x, &y, &z));
		accel_data.x = x.g, accel_data.y = y.g, accel_data.z = z.g;
		accel_data.tapDirX = x.tapDirection, accel_data.tapDirY = y.tapDirection, accel_data.tapDirZ = z.tapDirection;
	}

	void lockBinding() { check("zkLockBinding", zkLockBinding(zkContext)); }
	void getCurrentBindingInfo(bool &binding_is_locked, bool &is_bound)
	{
		check("zkGetCurrentBindingInfo", zkGetCurrentBindingInfo(zkContext, &binding_is_locked, &is_bound));
	}
	void setPerimeterEventAction(int channel, uint32_t action_flags)
	{
		check("zkSetPerimeterEventAction", zkSetPerimeterEventAction(zkContext, channel, action_flags));
	}
	void setDigitalPerimeterDetectLPPeriod(int lp_period)
	{
		check("zkSetDigitalPerimeterDetectLPPeriod", zkSetDigitalPerimeterDetectLPPeriod(zkContext, lp_period));
	}
	void setDigitalPerimeterDetectLPMaxBits(int max_num_bits)
	{
		check("zkSetDigitalPerimeterDetectLPMaxBits", zkSetDigitalPerimeterDetectLPMaxBits(zkContext, max_num_bits));
	}
	void setDigitalPerimeterDetectDelays(int min_delay_ns, int max_delay_ns)
	{
		check("zkSetDigitalPerimeterDetectDelays", zkSetDigitalPerimeterDetectDelays(zkContext, min_delay_ns, max_delay_ns));
	}
	void waitForPerimeterEvent(uint32_t timeout_ms) { check("zkWaitForPerimeterEvent", zkWaitForPerimeterEvent(zkContext, timeout_ms)); }
	/* The caller releases the timestamps with free(). */
	void getPerimeterDetectInfo(uint32_t **timestamp_sec, int &num_timestamps)
	{
		check("zkGetPerimeterDetectInfo", zkGetPerimeterDetectInfo(zkContext, timestamp_sec, &num_timestamps));
	}
	void clearPerimeterDetectEvents() { check("zkClearPerimeterDetectEvents", zkClearPerimeterDetectEvents(zkContext)); }

	std::string *getModelNumberString() { return text("zkGetModelNumberString", zkGetModelNumberString); }
	std::string *getFirmwareVersionString() { return text("zkGetFirmwareVersionString", zkGetFirmwareVersionString); }
	std::string *getSerialNumberString() { return text("zkGetSerialNumberString", zkGetSerialNumberString); }
	float getCPUTemp() { return number("zkGetCPUTemp", zkGetCPUTemp); }
	float getRTCDrift() { return number("zkGetRTCDrift", zkGetRTCDrift); }
	float getBatteryVoltage() { return number("zkGetBatteryVoltage", zkGetBatteryVoltage); }
	void setBatteryVoltageAction(ZK_THRESHOLD_ACTION_TYPE action)
	{
		check("zkSetBatteryVoltageAction", zkSetBatteryVoltageAction(zkContext, action));
	}
	void setBatteryVoltageThreshold(float threshold)
	{
		check("zkSetBatteryVoltageThreshold", zkSetBatteryVoltageThreshold(zkContext, threshold));
	}
	void setCPUTempAction(ZK_THRESHOLD_ACTION_TYPE action) { check("zkSetCPUTempAction", zkSetCPUTempAction(zkContext, action)); }
	void setCPULowTempThreshold(float threshold) { check("zkSetCPULowTempThreshold", zkSetCPULowTempThreshold(zkContext, threshold)); }
	void setCPUHighTempThreshold(float threshold) { check("zkSetCPUHighTempThreshold", zkSetCPUHighTempThreshold(zkContext, threshold)); }

	void setSupervisedBootPolicy(int policy_id) { check("zkSetSupervisedBootPolicy", zkSetSupervisedBootPolicy(zkContext, policy_id)); }
	void addOrUpdateSupervisedBootFile(int slot, std::string file_path)
	{
		check("zkAddOrUpdateSupervisedBootFile", zkAddOrUpdateSupervisedBootFile(zkContext, file_path.c_str(), slot));
	}
	void removeSupervisedBootFile(std::string file_path)
	{
		check("zkRemoveSupervisedBootFile", zkRemoveSupervisedBootFile(zkContext, file_path.c_str()));
	}
	std::string *getSupervisedBootFileManifest() { return text("zkGetSupervisedBootFileManifest", zkGetSupervisedBootFileManifest); }

private:
	zkClass(const zkClass &);            /* a context is closed once */
	zkClass &operator=(const zkClass &);

	enum { digestSize = 32, secretSize = 32, chainCodeSize = 32 };
	zkCTX zkContext;

	static int check(const char *function, int rc)
	{
		if (rc == -ETIMEDOUT)
			throw timeoutException(std::string(function) + ": " + std::strerror(-rc));
		if (rc < 0)
			throw commonException(std::string(function) + ": " + std::strerror(-rc));
		return rc;
	}
	static void whole(const byteArray &digest) /* the C API reads 32 bytes, however many there are */
	{
		if (digest.size() < digestSize)
			throw commonException("a digest has 32 bytes");
	}
	static int size(const byteArray &b) { return static_cast<int>(b.size()); }
	static byteArray *bytes(uint8_t *p, int n)
	{
		byteArray *b = p && n > 0 ? new byteArray(p, p + n) : new byteArray();
		std::free(p);
		return b;
	}
	static void give(std::string *to, char *s)
	{
		if (to && s)
			*to = s;
		std::free(s);
	}
	std::string *text(const char *function, int (*get)(zkCTX, char **))
	{
		char *s = NULL;
		check(function, get(zkContext, &s));
		std::string *all = new std::string();
		give(all, s);
		return all;
	}
	float number(const char *function, int (*get)(zkCTX, float *))
	{
		float n = 0;
		check(function, get(zkContext, &n));
		return n;
	}
};

} // namespace zkAppUtils

#endif /* ZKAPPUTILSCLASS_H */
