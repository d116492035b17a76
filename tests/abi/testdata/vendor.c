/* SPDX-License-Identifier: Apache-2.0 */

/* The vendor's header stands alone, and twice does no harm. */
#include "zk_pkcs11.h"
#include "pkcs11.h"
#include "zk_pkcs11.h"

extern const CK_ULONG vendor[];
const CK_ULONG vendor[] = {
	CKA_ZK_SLOT, CKA_ZK_FOREIGN, CKA_ZK_WALLET, CKA_ZK_NODE_ADDRESS, CKM_ZK_LOCK,
};

extern char slot_value[CKA_ZK_SLOT == 0x805A4B01UL ? 1 : -1];
extern char foreign_value[CKA_ZK_FOREIGN == 0x805A4B02UL ? 1 : -1];
extern char wallet_value[CKA_ZK_WALLET == 0x805A4B03UL ? 1 : -1];
extern char node_value[CKA_ZK_NODE_ADDRESS == 0x805A4B04UL ? 1 : -1];
extern char lock_value[CKM_ZK_LOCK == 0x805A4B01UL ? 1 : -1];
