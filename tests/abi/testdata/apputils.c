/* SPDX-License-Identifier: Apache-2.0 */

/* What callers of the vendor's library rely on, checked at compile time. */
#include <stddef.h>

#include "zk_app_utils.h"

#ifdef __cplusplus
#define CHECK(WHAT) static_assert(WHAT, #WHAT)
#else
#define CHECK(WHAT) _Static_assert(WHAT, #WHAT)
#endif

/* The curves, derivations, axes and actions that wrappers pass as numbers. */
CHECK(ZK_NISTP256 == 0 && ZK_SECP256R1 == 0 && ZK_SECP256K1 == 1 && ZK_ED25519 == 2 && ZK_X25519 == 3);
CHECK(ZK_NONE == 0 && ZK_BIP39 == 1 && ZK_SLIP39 == 2);
CHECK(ZK_KDF_RFC5869_SHA256 == 0 && ZK_KDF_RFC5869_SHA512 == 1);
CHECK(ZK_KDF_PBKDF2_SHA256 == 2 && ZK_KDF_PBKDF2_SHA512 == 3);
CHECK(ZK_ACCEL_AXIS_X == 0 && ZK_ACCEL_AXIS_Y == 1 && ZK_ACCEL_AXIS_Z == 2 && ZK_ACCEL_AXIS_ALL == 3);
CHECK(ZK_ACTION_NONE == 0 && ZK_ACTION_SELF_DESTRUCT == 1 && ZK_ACTION_SLEEP == 2);
CHECK(ZK_PERIMETER_EVENT_ACTION_NOTIFY == 1 && ZK_PERIMETER_EVENT_ACTION_SELF_DESTRUCT == 2);

CHECK(sizeof(zkCTX) == sizeof(void *));
CHECK(sizeof(ZK_EC_KEY_TYPE) == sizeof(int));
CHECK(sizeof(bool) == 1);
CHECK(offsetof(zkAccelAxisDataType, g) == 0 && offsetof(zkAccelAxisDataType, tapDirection) == 8);

/* Calls with the exact types of some programs. */
int (*const open_context)(zkCTX *) = zkOpen;
int (*const sign)(zkCTX, const uint8_t *, int, uint8_t **, int *) = zkGenECDSASigFromDigest;
int (*const export_key)(zkCTX, uint8_t **, int *, int, bool) = zkExportPubKey;
int (*const lock)(zkCTX, const uint8_t *, int, uint8_t **, int *, bool) = zkLockDataB2B;
int (*const child)(zkCTX, int, uint32_t, bool, bool, uint8_t **) = zkGenWalletChildKey;
