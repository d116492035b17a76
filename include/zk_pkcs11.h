/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Attributes and mechanisms of libzk_pkcs11 that the specification does not
 * have. They show what a Secure Compute Module (SCM) has beyond PKCS#11.
 */
#ifndef ZK_PKCS11_VENDOR_H
#define ZK_PKCS11_VENDOR_H 1

#include "pkcs11.h"

/*
 * CK_ULONG: the SCM's number of the key slot that holds a key, on both halves
 * of a pair. Read-only; in a template of C_GenerateKeyPair it asks for that slot.
 */
#define CKA_ZK_SLOT (CKA_VENDOR_DEFINED + 0x5A4B01)

/*
 * CK_BBOOL: the key is a foreign public key, one that the SCM stores for others.
 * CKA_ZK_SLOT is then its number among the foreign keys (0 to 127). Read-only; true in
 * a template of C_CreateObject asks for the lowest free foreign slot, for which the
 * user has to be logged in. Public keys in key slots have it, too: false.
 */
#define CKA_ZK_FOREIGN (CKA_VENDOR_DEFINED + 0x5A4B02)

/* UTF-8 text, not terminated: the name of the wallet that a key belongs to. Read-only. */
#define CKA_ZK_WALLET (CKA_VENDOR_DEFINED + 0x5A4B03)

/* UTF-8 text, not terminated: the path of a wallet key from its master key, such as m/3'/1. Read-only. */
#define CKA_ZK_NODE_ADDRESS (CKA_VENDOR_DEFINED + 0x5A4B04)

/*
 * Encrypts and decrypts data by the SCM's lock and unlock, whose key never
 * leaves the module. The parameter is a CK_BBOOL, true for the key shared between
 * modules; without a parameter it is the module's own key. Neither is an object: the
 * key of C_EncryptInit and C_DecryptInit is CK_INVALID_HANDLE, or any key in a key
 * slot, which changes nothing. The user has to be logged in.
 */
#define CKM_ZK_LOCK (CKM_VENDOR_DEFINED + 0x5A4B01)

#endif /* ZK_PKCS11_VENDOR_H */
