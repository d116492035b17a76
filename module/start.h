/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The start of the Go runtime. It is made by the first call that needs Go, so that the
 * host can be looked at before: where it has no room for a runtime, that ends the process.
 */
#ifndef ZK_START_H
#define ZK_START_H

#include "pkcs11.h"

/* Starts the runtime of this image, once. On failure it logs a line, the first time. */
CK_RV zk_start(void);

/* Whether the runtime of this image has been started, or is about to be. */
int zk_started(void);

/* Makes this thread of the host known to the runtime, at its first call; in the middle of a call. */
CK_RV zk_meet(void);

/* Logs a line of level error from C, when the runtime cannot. */
void zk_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
