// SPDX-License-Identifier: Apache-2.0

// Package sharedfile keeps one SQLite file that any number of processes read
// and write at the same time, and tells cheaply whether it has changed.
//
// Beside SQLite's own log and its index, four companions lie beside the file:
// PATH.write, by which writers exclude one another; PATH.lock, which readers and
// writers share, and a process that opens the file first, closes it or empties the log has alone;
// PATH.gen, a counter of changes that every process keeps mapped; and PATH.room,
// bytes that are given up when the disk is full.
//
// # Why SQLite's own locks do not do
//
// They are POSIX record locks: they do not tell two copies of SQLite in one process
// from each other, and all that a process has on a file are lost when either copy
// closes it. A forked process that loads this library afresh has two such copies, and
// so has a program that links SQLite itself, or libzk_app_utils.so too. So nothing
// here may depend on them. What SQLite does in write-ahead mode, and what keeps it
// safe:
//
//   - A commit appends to the log and then says so in the index. Writers exclude one
//     another by PATH.write. A reader keeps to the state that the index showed when
//     it began, and needs no lock against that.
//   - A checkpoint copies the log into the file, under readers who would then see a
//     mixture. SQLite makes none by itself (wal_autocheckpoint = 0), but when the
//     last user closes the file. Both are done by somebody who is alone in the file.
//   - The log begins anew once all of it is in the file (walRestartLog), and then
//     overwrites what readers might still be reading. All of it can be in the file
//     only after a checkpoint, so after a moment in which nobody was reading; one
//     that began later reads the file and not the log until it has begun anew.
//   - The index is made anew from the log when its header is torn (walIndexRecover).
//     A writer that dies leaves its mark in PATH.gen, and the one who finds it has that
//     done alone, see repair.go. Beside a writer that lives, the header is torn for
//     two copies of 48 bytes, after everything else is in the log and the index:
//     should a second copy of SQLite in the writer's process see just that, it comes
//     to the same index.
//   - The first user cuts the index, and the first user is one who sees no record
//     lock of another. A File has a lock there that no copy of SQLite can lose, see
//     index.go, and makes the index empty itself while it is alone.
//   - Closing drops the record locks of the other copies. Nobody is in the file then.
//     More connections of one File are opened later, beside others; none is closed
//     before the File is.
package sharedfile
