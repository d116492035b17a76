/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The C API of libzk_app_utils, the host library of Zymbit's modules, written
 * from its documented prototypes and the observations of its users. There is one
 * table of all functions; the prototypes below, the loader of the hardware
 * backend and the entries of our own libzk_app_utils.so are expanded from it.
 *
 * Every function returns an int: 0 or more is success, a negative value failure,
 * in the form of -errno. Those that make a key return its slot. What an output
 * parameter of two or more stars receives was allocated by the library, and the
 * caller releases it with free().
 */
#ifndef ZK_APP_UTILS_H
#define ZK_APP_UTILS_H 1

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A connection to the module, from zkOpen to zkClose. */
typedef void *zkCTX;

typedef enum ZK_EC_KEY_TYPE {
	ZK_NISTP256  = 0,
	ZK_SECP256R1 = ZK_NISTP256,
	ZK_SECP256K1 = 1,
	ZK_ED25519   = 2,
	ZK_X25519    = 3
} ZK_EC_KEY_TYPE;

typedef enum ZK_RECOVERY_STRATEGY {
	ZK_NONE   = 0,
	ZK_BIP39  = 1,
	ZK_SLIP39 = 2
} ZK_RECOVERY_STRATEGY;

typedef enum ZK_ECDH_KDF_TYPE {
	ZK_KDF_RFC5869_SHA256 = 0,
	ZK_KDF_RFC5869_SHA512 = 1,
	ZK_KDF_PBKDF2_SHA256  = 2,
	ZK_KDF_PBKDF2_SHA512  = 3
} ZK_ECDH_KDF_TYPE;

typedef enum ZK_ACCEL_AXIS_TYPE {
	ZK_ACCEL_AXIS_X   = 0,
	ZK_ACCEL_AXIS_Y   = 1,
	ZK_ACCEL_AXIS_Z   = 2,
	ZK_ACCEL_AXIS_ALL = 3
} ZK_ACCEL_AXIS_TYPE;

/* What a low battery or a bad temperature sets off. */
typedef enum ZK_THRESHOLD_ACTION_TYPE {
	ZK_ACTION_NONE          = 0,
	ZK_ACTION_SELF_DESTRUCT = 1,
	ZK_ACTION_SLEEP         = 2
} ZK_THRESHOLD_ACTION_TYPE;

typedef struct zkAccelAxisDataType {
	double g;
	int tapDirection; /* -1, 0 or 1 */
} zkAccelAxisDataType;

/* Flags of zkSetPerimeterEventAction. */
#define ZK_PERIMETER_EVENT_ACTION_NOTIFY        (1 << 0)
#define ZK_PERIMETER_EVENT_ACTION_SELF_DESTRUCT (1 << 1)

/* Policies of zkSetSupervisedBootPolicy. */
#define ZK_SUPBOOT_FAIL_NO_ACTION  0
#define ZK_SUPBOOT_FAIL_DESTROY    1
#define ZK_SUPBOOT_FAIL_HOLD_RESET 2

/* ---- Functions: F(name without zk, parameters, the same as arguments) ------------------------- */

#define ZK_FUNCTIONS_CONTEXT(F) \
	F(Open, (zkCTX *ctx), (ctx)) \
	F(Close, (zkCTX ctx), (ctx))

#define ZK_FUNCTIONS_RANDOM(F) \
	F(CreateRandDataFile, (zkCTX ctx, const char *dst_filename, int rdata_sz), (ctx, dst_filename, rdata_sz)) \
	F(GetRandBytes, (zkCTX ctx, uint8_t **rdata, int rdata_sz), (ctx, rdata, rdata_sz))

/* Lock encrypts and signs, Unlock verifies and decrypts. */
#define ZK_FUNCTIONS_LOCK(F) \
	F(LockDataF2F, (zkCTX ctx, const char *src_pt_filename, const char *dst_ct_filename, bool use_shared_key), (ctx, src_pt_filename, dst_ct_filename, use_shared_key)) \
	F(LockDataB2F, (zkCTX ctx, const uint8_t *src_pt, int src_pt_sz, const char *dst_ct_filename, bool use_shared_key), (ctx, src_pt, src_pt_sz, dst_ct_filename, use_shared_key)) \
	F(LockDataF2B, (zkCTX ctx, const char *src_pt_filename, uint8_t **dst_ct, int *dst_ct_sz, bool use_shared_key), (ctx, src_pt_filename, dst_ct, dst_ct_sz, use_shared_key)) \
	F(LockDataB2B, (zkCTX ctx, const uint8_t *src_pt, int src_pt_sz, uint8_t **dst_ct, int *dst_ct_sz, bool use_shared_key), (ctx, src_pt, src_pt_sz, dst_ct, dst_ct_sz, use_shared_key)) \
	F(UnlockDataF2F, (zkCTX ctx, const char *src_ct_filename, const char *dst_pt_filename, bool use_shared_key), (ctx, src_ct_filename, dst_pt_filename, use_shared_key)) \
	F(UnlockDataB2F, (zkCTX ctx, const uint8_t *src_ct, int src_ct_sz, const char *dst_pt_filename, bool use_shared_key), (ctx, src_ct, src_ct_sz, dst_pt_filename, use_shared_key)) \
	F(UnlockDataF2B, (zkCTX ctx, const char *src_ct_filename, uint8_t **dst_pt, int *dst_pt_sz, bool use_shared_key), (ctx, src_ct_filename, dst_pt, dst_pt_sz, use_shared_key)) \
	F(UnlockDataB2B, (zkCTX ctx, const uint8_t *src_ct, int src_ct_sz, uint8_t **dst_pt, int *dst_pt_sz, bool use_shared_key), (ctx, src_ct, src_ct_sz, dst_pt, dst_pt_sz, use_shared_key))

/* A digest is 32 bytes, a signature 64. Verification returns 1 for a good signature and 0 for a bad one. */
#define ZK_FUNCTIONS_SIGN(F) \
	F(GenECDSASigFromDigest, (zkCTX ctx, const uint8_t *digest, int slot, uint8_t **sig, int *sig_sz), (ctx, digest, slot, sig, sig_sz)) \
	F(GenECDSASigFromDigestWithRecID, (zkCTX ctx, const uint8_t *digest, int slot, uint8_t **sig, int *sig_sz, uint8_t *recovery_id), (ctx, digest, slot, sig, sig_sz, recovery_id)) \
	F(VerifyECDSASigFromDigest, (zkCTX ctx, const uint8_t *digest, int pubkey_slot, const uint8_t *sig, int sig_sz), (ctx, digest, pubkey_slot, sig, sig_sz)) \
	F(VerifyECDSASigFromDigestWithForeignKeySlot, (zkCTX ctx, const uint8_t *digest, int pubkey_slot, const uint8_t *sig, int sig_sz), (ctx, digest, pubkey_slot, sig, sig_sz))

/* Slot -1 is the ephemeral key. The secret of zkDoRawECDH is 32 bytes. */
#define ZK_FUNCTIONS_AGREE(F) \
	F(DoRawECDH, (zkCTX ctx, int slot, const uint8_t *peer_pubkey, int peer_pubkey_sz, uint8_t **pre_master_secret), (ctx, slot, peer_pubkey, peer_pubkey_sz, pre_master_secret)) \
	F(DoRawECDHWithIntPeerPubkey, (zkCTX ctx, int slot, int peer_pubkey_slot, bool peer_pubkey_slot_is_foreign, uint8_t **pre_master_secret), (ctx, slot, peer_pubkey_slot, peer_pubkey_slot_is_foreign, pre_master_secret)) \
	F(DoECDHAndKDF, (zkCTX ctx, ZK_ECDH_KDF_TYPE kdf_type, int slot, const uint8_t *peer_pubkey, int peer_pubkey_sz, const uint8_t *salt, int salt_sz, const uint8_t *info, int info_sz, int num_iterations, int derived_key_sz, uint8_t **derived_key), (ctx, kdf_type, slot, peer_pubkey, peer_pubkey_sz, salt, salt_sz, info, info_sz, num_iterations, derived_key_sz, derived_key)) \
	F(DoECDHAndKDFWithIntPeerPubkey, (zkCTX ctx, ZK_ECDH_KDF_TYPE kdf_type, int slot, int peer_pubkey_slot, bool peer_pubkey_slot_is_foreign, const uint8_t *salt, int salt_sz, const uint8_t *info, int info_sz, int num_iterations, int derived_key_sz, uint8_t **derived_key), (ctx, kdf_type, slot, peer_pubkey_slot, peer_pubkey_slot_is_foreign, salt, salt_sz, info, info_sz, num_iterations, derived_key_sz, derived_key))

/* Files are written as PEM. Foreign keys have slots of their own. */
#define ZK_FUNCTIONS_KEY(F) \
	F(SaveECDSAPubKey2File, (zkCTX ctx, const char *filename, int slot), (ctx, filename, slot)) \
	F(ExportPubKey2File, (zkCTX ctx, const char *filename, int pubkey_slot, bool slot_is_foreign), (ctx, filename, pubkey_slot, slot_is_foreign)) \
	F(GetECDSAPubKey, (zkCTX ctx, uint8_t **pk, int *pk_sz, int slot), (ctx, pk, pk_sz, slot)) \
	F(ExportPubKey, (zkCTX ctx, uint8_t **pk, int *pk_sz, int pubkey_slot, bool slot_is_foreign), (ctx, pk, pk_sz, pubkey_slot, slot_is_foreign)) \
	F(GetAllocSlotsList, (zkCTX ctx, bool is_foreign, int *max_num_keys, int **alloc_key_list, int *alloc_key_list_sz), (ctx, is_foreign, max_num_keys, alloc_key_list, alloc_key_list_sz)) \
	F(StoreForeignPubKey, (zkCTX ctx, ZK_EC_KEY_TYPE pk_type, uint8_t *pk, int pk_sz), (ctx, pk_type, pk, pk_sz)) \
	F(DisablePubKeyExport, (zkCTX ctx, int pubkey_slot, bool slot_is_foreign), (ctx, pubkey_slot, slot_is_foreign)) \
	F(GenKeyPair, (zkCTX ctx, ZK_EC_KEY_TYPE type), (ctx, type)) \
	F(GenEphemeralKeyPair, (zkCTX ctx, ZK_EC_KEY_TYPE type), (ctx, type)) \
	F(RemoveKey, (zkCTX ctx, int slot, bool slot_is_foreign), (ctx, slot, slot_is_foreign)) \
	F(InvalidateEphemeralKey, (zkCTX ctx), (ctx))

/* Those that take part in a SLIP39 session return -1 until the session is complete. */
#define ZK_FUNCTIONS_WALLET(F) \
	F(GenWalletMasterSeedWithBIP39, (zkCTX ctx, ZK_EC_KEY_TYPE type, const char *variant, const char *wallet_name, const uint8_t *master_generator_key, int master_generator_key_size, const char *passphrase, char **mnemonic), (ctx, type, variant, wallet_name, master_generator_key, master_generator_key_size, passphrase, mnemonic)) \
	F(GenWalletMasterSeedWithSLIP39, (zkCTX ctx, ZK_EC_KEY_TYPE type, const char *variant, const char *wallet_name, const uint8_t *master_generator_key, int master_generator_key_size, int group_count, int group_threshold, int group_iteration_exponent, const char *master_passphrase), (ctx, type, variant, wallet_name, master_generator_key, master_generator_key_size, group_count, group_threshold, group_iteration_exponent, master_passphrase)) \
	F(SetSLIP39GroupInfo, (zkCTX ctx, int group_index, int member_count, int member_threshold), (ctx, group_index, member_count, member_threshold)) \
	F(AddSLIP39MemberPassword, (zkCTX ctx, const char *passphrase, char **mnemonic_sentence), (ctx, passphrase, mnemonic_sentence)) \
	F(CancelSLIP39Session, (zkCTX ctx), (ctx)) \
	F(GenOversightWallet, (zkCTX ctx, ZK_EC_KEY_TYPE type, const char *variant, const uint8_t *pub_key, const uint8_t *chain_code, const char *node_addr, const char *wallet_name), (ctx, type, variant, pub_key, chain_code, node_addr, wallet_name)) \
	F(GenWalletChildKey, (zkCTX ctx, int parent_key_slot, uint32_t index, bool is_hardened, bool return_chain_code, uint8_t **chain_code), (ctx, parent_key_slot, index, is_hardened, return_chain_code, chain_code)) \
	F(RestoreWalletMasterSeedFromBIP39Mnemonic, (zkCTX ctx, ZK_EC_KEY_TYPE type, const char *variant, const char *wallet_name, const uint8_t *master_generator_key, int master_generator_key_size, const char *BIP39_passphrase, char *BIP39_mnemonic), (ctx, type, variant, wallet_name, master_generator_key, master_generator_key_size, BIP39_passphrase, BIP39_mnemonic)) \
	F(RestoreWalletMasterSeedFromSLIP39, (zkCTX ctx, ZK_EC_KEY_TYPE type, const char *variant, const char *wallet_name, const uint8_t *master_generator_key, int master_generator_key_size, const char *SLIP39_passphrase), (ctx, type, variant, wallet_name, master_generator_key, master_generator_key_size, SLIP39_passphrase)) \
	F(AddRestoreSLIP39Mnemonic, (zkCTX ctx, const char *passphrase, const char *mnemonic_sentence), (ctx, passphrase, mnemonic_sentence)) \
	F(GetWalletNodeAddrFromKeySlot, (zkCTX ctx, int slot, char **node_addr, char **wallet_name, int *master_seed_slot), (ctx, slot, node_addr, wallet_name, master_seed_slot)) \
	F(GetWalletKeySlotFromNodeAddr, (zkCTX ctx, const char *node_addr, const char *wallet_name, int master_seed_slot, int *slot), (ctx, node_addr, wallet_name, master_seed_slot, slot))

/* Timestamps are seconds since the epoch, one for each channel, 0 where nothing happened. */
#define ZK_FUNCTIONS_PERIMETER(F) \
	F(SetPerimeterEventAction, (zkCTX ctx, int channel, uint32_t action_flags), (ctx, channel, action_flags)) \
	F(SetDigitalPerimeterDetectLPPeriod, (zkCTX ctx, int lp_period), (ctx, lp_period)) \
	F(SetDigitalPerimeterDetectLPMaxBits, (zkCTX ctx, int max_num_bits), (ctx, max_num_bits)) \
	F(SetDigitalPerimeterDetectDelays, (zkCTX ctx, int min_delay_ns, int max_delay_ns), (ctx, min_delay_ns, max_delay_ns)) \
	F(WaitForPerimeterEvent, (zkCTX ctx, uint32_t timeout_ms), (ctx, timeout_ms)) \
	F(GetPerimeterDetectInfo, (zkCTX ctx, uint32_t **timestamps_sec, int *num_timestamps), (ctx, timestamps_sec, num_timestamps)) \
	F(ClearPerimeterDetectEvents, (zkCTX ctx), (ctx))

#define ZK_FUNCTIONS_BOARD(F) \
	F(LEDOff, (zkCTX ctx), (ctx)) \
	F(LEDOn, (zkCTX ctx), (ctx)) \
	F(LEDFlash, (zkCTX ctx, uint32_t on_ms, uint32_t off_ms, uint32_t num_flashes), (ctx, on_ms, off_ms, num_flashes)) \
	F(SetI2CAddr, (zkCTX ctx, int addr), (ctx, addr)) \
	F(GetTime, (zkCTX ctx, uint32_t *epoch_time_sec, bool precise_time), (ctx, epoch_time_sec, precise_time)) \
	F(SetTapSensitivity, (zkCTX ctx, int axis, float pct), (ctx, axis, pct)) \
	F(WaitForTap, (zkCTX ctx, uint32_t timeout_ms), (ctx, timeout_ms)) \
	F(GetAccelerometerData, (zkCTX ctx, zkAccelAxisDataType *x, zkAccelAxisDataType *y, zkAccelAxisDataType *z), (ctx, x, y, z))

#define ZK_FUNCTIONS_INFO(F) \
	F(LockBinding, (zkCTX ctx), (ctx)) \
	F(GetCurrentBindingInfo, (zkCTX ctx, bool *binding_is_locked, bool *is_bound), (ctx, binding_is_locked, is_bound)) \
	F(GetModelNumberString, (zkCTX ctx, char **model_str), (ctx, model_str)) \
	F(GetFirmwareVersionString, (zkCTX ctx, char **fw_ver_str), (ctx, fw_ver_str)) \
	F(GetSerialNumberString, (zkCTX ctx, char **serial_num_str), (ctx, serial_num_str))

/* Temperatures in degrees Celsius, voltages in volts. */
#define ZK_FUNCTIONS_MONITOR(F) \
	F(GetCPUTemp, (zkCTX ctx, float *cpu_temp), (ctx, cpu_temp)) \
	F(GetAUXTemp, (zkCTX ctx, int index, float *aux_temp), (ctx, index, aux_temp)) \
	F(GetRTCDrift, (zkCTX ctx, float *rtc_drift), (ctx, rtc_drift)) \
	F(GetBatteryVoltage, (zkCTX ctx, float *batt_voltage), (ctx, batt_voltage)) \
	F(SetBatteryVoltageAction, (zkCTX ctx, int action), (ctx, action)) \
	F(SetBatteryVoltageThreshold, (zkCTX ctx, float threshold), (ctx, threshold)) \
	F(SetCPUTempAction, (zkCTX ctx, int action), (ctx, action)) \
	F(SetCPULowTempThreshold, (zkCTX ctx, float threshold), (ctx, threshold)) \
	F(SetCPUHighTempThreshold, (zkCTX ctx, float threshold), (ctx, threshold))

/* Paths are relative to /boot. */
#define ZK_FUNCTIONS_BOOT(F) \
	F(SetSupervisedBootPolicy, (zkCTX ctx, int policy_id), (ctx, policy_id)) \
	F(AddOrUpdateSupervisedBootFile, (zkCTX ctx, const char *file_path, int slot), (ctx, file_path, slot)) \
	F(RemoveSupervisedBootFile, (zkCTX ctx, const char *file_path), (ctx, file_path)) \
	F(GetSupervisedBootFileManifest, (zkCTX ctx, char **manifest), (ctx, manifest))

/* Those that work in an open context. */
#define ZK_FUNCTIONS_IN_CONTEXT(F) \
	ZK_FUNCTIONS_RANDOM(F) \
	ZK_FUNCTIONS_LOCK(F) \
	ZK_FUNCTIONS_SIGN(F) \
	ZK_FUNCTIONS_AGREE(F) \
	ZK_FUNCTIONS_KEY(F) \
	ZK_FUNCTIONS_WALLET(F) \
	ZK_FUNCTIONS_PERIMETER(F) \
	ZK_FUNCTIONS_BOARD(F) \
	ZK_FUNCTIONS_INFO(F) \
	ZK_FUNCTIONS_MONITOR(F) \
	ZK_FUNCTIONS_BOOT(F)

#define ZK_FUNCTIONS(F) \
	ZK_FUNCTIONS_CONTEXT(F) \
	ZK_FUNCTIONS_IN_CONTEXT(F)

#define ZK_PROTOTYPE(NAME, PARAMETERS, ARGUMENTS) int zk##NAME PARAMETERS;
ZK_FUNCTIONS(ZK_PROTOTYPE)
#undef ZK_PROTOTYPE

#ifdef __cplusplus
}
#endif

#endif /* ZK_APP_UTILS_H */
