/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The setting "fork", read before anything is initialised: the interfaces say what
 * it is, and they are asked for when Go has not started. It is what
 * internal/config reads of the same variables and the same file; what that reads
 * with an error, which the first call after C_Initialize then tells, is "strict" here.
 */
#ifndef ZK_FORKSETTING_H
#define ZK_FORKSETTING_H

#include <stddef.h>

/* Whether the setting is "inherit". */
int zk_fork_setting(void);

/* The same of the text of a file. */
int zk_fork_in_text(const char *text, size_t size);

#endif
