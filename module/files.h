/* SPDX-License-Identifier: Apache-2.0 */

/* The files that SQLite keeps open in the host; see ../internal/fresh/sqlite.h. */
#ifndef ZK_FILES_H
#define ZK_FILES_H

#include <stdint.h>

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

#endif
