// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdlib.h>
// #include "copy.h"
// #include "../internal/fresh/sqlite.h"
// #include "fork.h"
// #include "version.h"
import "C"

import (
	"crypto/fips140"
	"sync"
	"unsafe"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/internal/trace"
	"libzk_pkcs11/pkcs11"
)

// newLibrary makes a library of the settings.
func newLibrary() (*library, error) {
	settings, err := readSettings()
	if err != nil {
		return nil, err
	}
	level, err := trace.ParseLevel(settings.Log.Level)
	if err != nil {
		return nil, err
	}
	l := &library{log: trace.NewLogger(level, settings.Log.To)}
	l.log.Infof("libzk_pkcs11 %s", C.ZK_VERSION)
	if fips140.Enforced() { // in a plain go build only (start.c)
		l.log.Errorf("GODEBUG=fips140=only makes algorithms fail that FIPS 140 does not know; build the module with make, or unset it")
	}
	if settings.Trace != "" {
		l.tracer, err = trace.NewTracer(settings.Trace)
		if err != nil {
			l.log.Warningf("calls are not traced: %v", err)
		}
	}
	quirks := newQuirks(settings.Quirks, l.log)
	quirks.readyChildren()
	options := setup.Options(settings, l.log, process())
	options.Quirks = quirks.detect
	options.Handles, options.Estate = lastHandle(), beginEstate(settings.Fork)
	options.Pause = pause
	l.provider = pkcs11.New(options)
	return l, nil
}

// readSettings reads the settings, in a fresh copy of this library with what was
// handed down.
func readSettings() (config.Config, error) {
	settings, err := config.LoadInherited(inherited(), getenv)
	if err == nil {
		handDown(settings.Source.Encode())
	}
	return setup.Placed(settings), err
}

// getenv asks C: Go's own copy of the environment lacks what the host has set
// since it started. Where privileges differ there is no environment.
func getenv(name string) string {
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	return C.GoString(C.secure_getenv(cname))
}

// handDown hands bytes down to forked children.
func handDown(text string) {
	C.zk_hand_down(unsafe.Pointer(unsafe.StringData(text)), C.size_t(len(text)))
}

// inherited is what was handed down, "" when nothing was.
func inherited() string {
	var size C.size_t
	bytes := C.zk_inherited(&size)
	return string(unsafe.Slice((*byte)(bytes), size))
}

// process is what the files need of the process that this library is loaded into.
func process() setup.Process {
	p := setup.Process{ForkGuard: guardLock, Pause: pause}
	if guardFiles() {
		p.Intact, p.GiveUp, p.Cuts = areFilesIntact, giveUpFile, countCuts
	}
	return p
}

// The functions of C that SQLite's files ask, as those of Go.

func areFilesIntact() bool { return C.zk_files_intact() != 0 }
func countCuts() uint64    { return uint64(C.zk_files_cut()) }
func giveUpFile(device, inode uint64) {
	C.zk_files_give_up(C.uint64_t(device), C.uint64_t(inode))
}

// guardFiles has SQLite look whose its descriptors are, once in a process.
var guardFiles = sync.OnceValue(guardFilesNow)

func guardFilesNow() bool { return C.zk_guard_files() == 0 }

// guardLock has the children of this process close a descriptor that locks files.
func guardLock(fd int) (forget func()) {
	C.zk_lock_opened(C.int(fd))
	return lockDescriptor(fd).forget
}

// lockDescriptor is a descriptor that locks files.
type lockDescriptor int

func (fd lockDescriptor) forget() { C.zk_lock_closes(C.int(fd)) }
