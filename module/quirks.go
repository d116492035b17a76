// SPDX-License-Identifier: Apache-2.0

package main

// #include "quirks.h"
// #include "threads.h"
import "C"

import (
	"slices"
	"sync"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/trace"
	"libzk_pkcs11/pkcs11"
)

// quirks finds out which defects of clients to work around (docs/adr). Setting
// one by its name forces it; "auto" looks at the process.
type quirks struct {
	forced []string
	auto   bool
	log    *trace.Logger

	crypto11 func() bool // of the program, which stays the one it is

	mu      sync.Mutex
	objects uint64 // loaded when found was found
	found   pkcs11.Quirks
}

func newQuirks(names []string, log *trace.Logger) *quirks {
	return &quirks{forced: names, auto: slices.Contains(names, config.QuirksAuto), log: log, crypto11: sync.OnceValue(hasCrypto11)}
}

// detect is asked at every search that a quirk could touch: a host may load
// another client at any time.
func (q *quirks) detect() pkcs11.Quirks {
	q.mu.Lock()
	defer q.mu.Unlock()
	if objects := uint64(C.zk_objects_loaded()); objects != q.objects {
		q.objects = objects
		q.found = pkcs11.Quirks{
			HideOtherKeyTypes: q.hidesOtherKeyTypes(),
			HideUnknownCurves: q.applies(config.QuirkOpenSSH, leavesOut, isSSHHelper),

			WaitForSessionsOnly: q.applies(config.QuirkP11Kit, waitsLess, hasP11Kit),
		}
	}
	return q.found
}

// hidesOtherKeyTypes reports whether one of the clients is there that know RSA and EC keys alone.
func (q *quirks) hidesOtherKeyTypes() bool {
	libp11 := q.applies(config.QuirkLibp11, leavesOut, hasOldLibp11)
	return q.applies(config.QuirkCrypto11, leavesOut, q.crypto11) || libp11
}

// What quirks do, for the log.
const (
	leavesOut     = "some keys are left out of some searches, for a client that cannot bear them"
	waitsLess     = "an SCM that starts is waited for by C_OpenSession and C_InitToken alone, for a program that loads all modules of the system"
	readiesForked = "forked processes get threads at once, for a program that allows them none later"
)

func (q *quirks) applies(name, does string, seen func() bool) bool {
	if !slices.Contains(q.forced, name) && (!q.auto || !seen()) {
		return false
	}
	q.log.Infof("quirk %s: %s", name, does)
	return true
}

// readyChildren has the children of this process get threads when they are forked, if the
// program needs that.
func (q *quirks) readyChildren() {
	if q.applies(config.QuirkHaproxy, readiesForked, isHaproxy) {
		C.zk_ready_children()
	}
}

// What quirks are seen by, in this process.

func hasOldLibp11() bool { return C.zk_old_libp11() != 0 }
func hasCrypto11() bool  { return C.zk_has_crypto11() != 0 }
func isSSHHelper() bool  { return C.zk_in_ssh_helper() != 0 }
func hasP11Kit() bool    { return C.zk_has_p11_kit() != 0 }
func isHaproxy() bool    { return C.zk_in_haproxy() != 0 }
