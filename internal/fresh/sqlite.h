/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The system calls of the SQLite in this library, by the documented xSetSystemCall of its unix VFS. SQLite keeps descriptors open and knows
 * them by their number; a host that closes descriptors which it has not opened, and
 * then opens files of its own, would have them written, cut, locked and closed by it.
 * Here each call first looks whether the number is the file that was opened, and
 * fails with EBADF otherwise.
 *
 * Others may write into the directory of a database, and this process may be root's. So
 * what SQLite opens is a regular file with one name, and belongs to somebody who could
 * write the database anyway; internal/descriptor has the same rule.
 *
 * They may also cut the index of SQLite's log, which it has mapped. A thread that then
 * touches it would get a signal that ends the host; here it gets zeros, and SQLite none of its files
 * any more.
 */
#ifndef ZK_SQLITE_H
#define ZK_SQLITE_H

#include <stdint.h>

/* Within one library: another that is loaded beside it has its own. */
#pragma GCC visibility push(hidden)

/* Has SQLite look whose a descriptor is before each use of it; before it opens its first file. -1 when it cannot. */
int zk_guard_files(void);

/* Reports whether all its descriptors are still its own: the host may have closed some. */
int zk_files_intact(void);

/* Has SQLite do nothing more to a file that it has open but close it. */
void zk_files_give_up(uint64_t device, uint64_t inode);

/* Counts the files that were cut while SQLite had them mapped; it was given up with all that it had open then. */
uint64_t zk_files_cut(void);

/* For a handler of SIGBUS: puts zeros where a file was cut. Reports whether the address is in what SQLite has mapped. */
int zk_files_mend(const void *address);

#pragma GCC visibility pop

#endif
