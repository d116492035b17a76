/* SPDX-License-Identifier: Apache-2.0 */

/* What is known of the library before its runtime runs. */
#ifndef ZK_INFO_H
#define ZK_INFO_H

#include "pkcs11.h"

/* C_GetInfo of a library that is initialised and was not used yet. */
CK_RV zk_info(CK_INFO_PTR info);

#endif
