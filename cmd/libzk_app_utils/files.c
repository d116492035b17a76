/* SPDX-License-Identifier: Apache-2.0 */
#define _FILE_OFFSET_BITS 64 /* as SQLite is built */
#include "../../internal/fresh/sqlite.h"
#include "fork.h"

/* Each library has a SQLite of its own, and so its own table of what that has open. */
int zk_guard_files(void) { return guard_sqlite_files(); }
int zk_files_intact(void) { return sqlite_files_intact(); }
