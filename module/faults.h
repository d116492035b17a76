/* SPDX-License-Identifier: Apache-2.0 */

/*
 * SIGSEGV and SIGBUS. Go makes errors of those that its own code meets, such as a pointer
 * of the caller that leads nowhere. Of SIGBUS those are mended that SQLite meets in memory
 * whose file was cut. Every other one is the host's, as if nothing stood between.
 */
#ifndef ZK_FAULTS_H
#define ZK_FAULTS_H

#include <signal.h>
#include <stdint.h>

/* What the host has set for all signals. */
void zk_note_actions(void);

/* After the runtime has set its own: puts the host's back, and stands before both for faults. */
void zk_restore_actions(void);

/* The stack on which this thread, which is the host's, is to handle the faults of Go. */
void zk_set_fault_stack(const stack_t *stack);

/* Whether a fault at an address was of a mapped file that has become shorter, which is nobody's argument. */
int zk_at_lost_file(uintptr_t address);

#endif
