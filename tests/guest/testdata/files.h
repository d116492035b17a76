/* SPDX-License-Identifier: Apache-2.0 */

/* What the programs on files share: a token's whole life, and files of the host. */
#ifndef FILES_H
#define FILES_H

#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

UNUSED static CK_RV try_generate(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE key[2])
{
	CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	CK_BBOOL yes = CK_TRUE;
	CK_MECHANISM m = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE public[] = {{CKA_EC_PARAMS, p256, sizeof p256}, {CKA_TOKEN, &yes, sizeof yes}};
	CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, sizeof yes}};
	return F->C_GenerateKeyPair(h, &m, public, 2, private, 1, &key[0], &key[1]);
}

/* Makes a key, signs with it and destroys it. */
UNUSED static void change(CK_SESSION_HANDLE h)
{
	CK_BYTE signature[64];
	CK_OBJECT_HANDLE key[2];
	MUST(try_generate(h, key));
	MUST(try_sign(F, h, key[1], signature));
	MUST(F->C_DestroyObject(h, key[1]));
	F->C_DestroyObject(h, key[0]); /* the other half is gone with it, or is not */
}

/* All of it from C_Initialize to C_Finalize. */
UNUSED static void whole(void)
{
	MUST(F->C_Initialize(NULL));
	work(F);
	CK_SESSION_HANDLE h = session(F);
	login(F, h);
	change(h);
	MUST(F->C_Finalize(NULL));
}

/* The host's own files, which are written, locked and somewhere in the middle. */
enum { OWN_SIZE = 8192, OWN_AT = 4096, OWN_MOST = 512 };

static int own[OWN_MOST];
static int owned;

UNUSED static void own_path(char path[4096], int i)
{
	char *folder = getenv("ZK_TEST_OWN");
	CHECK(folder != NULL);
	snprintf(path, 4096, "%s/%d", folder, i);
}

/* Opens one more; at a number, unless that is -1. */
UNUSED static int open_own(int number)
{
	char path[4096], text[OWN_SIZE];
	CHECK(owned < OWN_MOST);
	own_path(path, owned);
	memset(text, 'H', sizeof text);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, text, sizeof text) == OWN_SIZE);
	CHECK(lseek(fd, OWN_AT, SEEK_SET) == OWN_AT && flock(fd, LOCK_EX) == 0);
	if (number >= 0 && fd != number) {
		CHECK(dup3(fd, number, O_CLOEXEC) == number);
		close(fd);
		fd = number;
	}
	own[owned++] = fd;
	return fd;
}

UNUSED static void check_own(void)
{
	for (int i = 0; i < owned; i++) {
		char path[4096], text[OWN_SIZE + 1];
		struct stat st, named;
		own_path(path, i);
		CHECK(stat(path, &named) == 0 && fstat(own[i], &st) == 0);
		CHECK(st.st_ino == named.st_ino && st.st_size == OWN_SIZE && (st.st_mode & 0777) == 0600);
		CHECK(lseek(own[i], 0, SEEK_CUR) == OWN_AT);
		CHECK(pread(own[i], text, sizeof text, 0) == OWN_SIZE);
		for (int at = 0; at < OWN_SIZE; at++)
			CHECK(text[at] == 'H');
		int other = open(path, O_RDONLY | O_CLOEXEC);
		CHECK(other >= 0 && flock(other, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK);
		close(other);
	}
}

#endif
