/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Functions of the vendor's older libraries, which no header of his has any more. Wrappers
 * look them up without a guard, and do not start where they are missing. They take whatever
 * arguments there are, and do nothing.
 */
#include <errno.h>

int zkVerifyECDSASigFromDigestWithForeignKey(void);
int zkSetGMTTime(void);

int zkVerifyECDSASigFromDigestWithForeignKey(void) { return -ENOSYS; }

int zkSetGMTTime(void) { return -ENOSYS; }
