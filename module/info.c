/* SPDX-License-Identifier: Apache-2.0 */
#include "info.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Whether the kernel can write so many bytes there, up to a page of them. It writes the ends. */
static int is_writable(void *memory, size_t size)
{
	char *last = (char *)memory + size - sizeof(uint64_t);
	return syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, memory, sizeof(uint64_t)) == 0 &&
		syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, last, sizeof(uint64_t)) == 0;
}

static void pad(CK_UTF8CHAR *field, size_t size, const char *text)
{
	memset(field, ' ', size);
	memcpy(field, text, strlen(text));
}

CK_RV zk_info(CK_INFO_PTR info)
{
	if (!info)
		return CKR_ARGUMENTS_BAD;
	if (!is_writable(info, sizeof *info))
		return CKR_GENERAL_ERROR;
	memset(info, 0, sizeof *info);
	info->cryptokiVersion = (CK_VERSION){3, 2};
	pad(info->manufacturerID, sizeof info->manufacturerID, "zk_pkcs11");
	pad(info->libraryDescription, sizeof info->libraryDescription, "PKCS#11 for Zymbit SCM");
	info->libraryVersion = (CK_VERSION){0, 1};
	return CKR_OK;
}
