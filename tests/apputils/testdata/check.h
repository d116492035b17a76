/* SPDX-License-Identifier: Apache-2.0 */

/* What the programs here share. A program that finds nothing wrong prints nothing and ends with 0. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zk_app_utils.h"

/* Ends the program unless a call returns what it should. */
#define EXPECT(CALL, WANT) \
	do { \
		long got_ = (CALL), want_ = (WANT); \
		if (got_ != want_) { \
			printf("%s:%d: %s: %ld, want %ld\n", __FILE__, __LINE__, #CALL, got_, want_); \
			fflush(stdout); \
			_exit(1); \
		} \
	} while (0)
#define OK(CALL)         EXPECT(CALL, 0)
#define CHECK(CONDITION) EXPECT(!!(CONDITION), 1)

/* A 32-byte digest. */
static const uint8_t digest[32] = "thirty-two bytes are one digest";

static inline zkCTX opened(void)
{
	zkCTX ctx = NULL;
	OK(zkOpen(&ctx));
	CHECK(ctx != NULL);
	return ctx;
}

/* Signs with a slot, and releases the signature. */
static inline int signs(zkCTX ctx, int slot)
{
	uint8_t *sig = NULL;
	int size = 0;
	int rc = zkGenECDSASigFromDigest(ctx, digest, slot, &sig, &size);
	if (rc == 0)
		CHECK(sig != NULL && size == 64);
	free(sig);
	return rc;
}

/* Runs a function in a forked child, with a context of the parent. */
static inline void in_child(void (*body)(zkCTX), zkCTX of_parent)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		alarm(30);
		body(of_parent);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif
