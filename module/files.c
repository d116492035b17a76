/* SPDX-License-Identifier: Apache-2.0 */
#define _FILE_OFFSET_BITS 64 /* as SQLite is built */
#include "../internal/fresh/sqlite.h"
#include "files.h"

/* Each library has a SQLite of its own, and so its own table of what that has open and mapped. */
int zk_guard_files(void) { return guard_sqlite_files(); }
int zk_files_intact(void) { return sqlite_files_intact(); }
void zk_files_give_up(uint64_t device, uint64_t inode) { give_up_sqlite_file(device, inode); }
uint64_t zk_files_cut(void) { return count_sqlite_cuts(); }
int zk_files_mend(const void *address) { return mend_sqlite_mapping((uintptr_t)address); }
