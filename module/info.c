/* SPDX-License-Identifier: Apache-2.0 */
#include "info.h"

#include <string.h>

#include "probe.h"
#include "version.h"

static void pad(CK_UTF8CHAR *field, size_t size, const char *text)
{
	memset(field, ' ', size);
	memcpy(field, text, strlen(text));
}

CK_RV zk_info(CK_INFO_PTR info)
{
	if (!zk_writable(info, sizeof *info))
		return CKR_ARGUMENTS_BAD;
	memset(info, 0, sizeof *info);
	info->cryptokiVersion = (CK_VERSION){3, 2};
	pad(info->manufacturerID, sizeof info->manufacturerID, "zk_pkcs11");
	pad(info->libraryDescription, sizeof info->libraryDescription, "PKCS#11 for Zymbit SCM");
	info->libraryVersion = (CK_VERSION){ZK_VERSION_MAJOR, ZK_VERSION_MINOR};
	return CKR_OK;
}
