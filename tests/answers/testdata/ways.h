/* SPDX-License-Identifier: Apache-2.0 */
#include "zk_app_utils.h"

/* What follows a word in the file of ways, NULL when it is not there. */
const char *way(const char *word);

/* belowX is zkX of the library below, with the answers of hand.c. */
#define BELOW(NAME, PARAMETERS, ARGUMENTS) int below##NAME PARAMETERS;
ZK_FUNCTIONS(BELOW)
#undef BELOW
