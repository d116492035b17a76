/* SPDX-License-Identifier: Apache-2.0 */

/* The files that SQLite keeps open in the host; see ../internal/fresh/sqlite.h. */
#ifndef ZK_FILES_H
#define ZK_FILES_H

/* Has SQLite look whose a descriptor is before each use of it; before it opens its first file. -1 when it cannot. */
int zk_guard_files(void);

/* Reports whether all its descriptors are still its own: the host may have closed some. */
int zk_files_intact(void);

#endif
