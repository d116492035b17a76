/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The version that C_GetInfo and the log tell. make has another file in the place of this one, with
 * the version of the git tag (scripts/runtime.sh); these lines are what go build alone gives.
 */
#define ZK_VERSION       "unknown"
#define ZK_VERSION_MAJOR 0
#define ZK_VERSION_MINOR 0
