// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdlib.h>
// #include "fork.h"
import "C"

import (
	"sync"
	"unsafe"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm/soft/wallet"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/internal/trace"
)

// handing is held while what is handed down is read and published: zkOpen is for
// any number of threads.
var handing sync.Mutex

// connect opens the soft SCM of the first slot in the settings. Its backend does
// not matter: a module whose backend is "zymbit" may be what calls.
func connect() (connection, error) {
	settings, err := readSettings()
	if err != nil {
		return connection{}, err
	}
	level, err := trace.ParseLevel(settings.Log.Level)
	if err != nil {
		return connection{}, err
	}
	d, err := setup.OpenSoft(settings, settings.Slots[0], process())
	return connection{wallet.On(d), trace.NewLogger(level, settings.Log.To)}, err
}

// readSettings reads the settings, in a fresh copy of this library with what was
// handed down.
func readSettings() (config.Config, error) {
	handing.Lock()
	defer handing.Unlock()
	settings, err := config.LoadInherited(inherited(), getenv)
	if err == nil {
		handDown(settings.Source.Encode())
	}
	return settings, err
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

// getenv asks C: Go's own copy of the environment lacks what the host has set
// since it started. Where privileges differ there is no environment.
func getenv(name string) string {
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	return C.GoString(C.secure_getenv(cname))
}

// process is what the files need of the process that this library is loaded into.
func process() setup.Process {
	p := setup.Process{ForkGuard: guardLock}
	if guardFiles() {
		p.Intact, p.GiveUp, p.Cuts = filesIntact, giveUpFile, fileCuts
	}
	return p
}

// guardFiles has SQLite look whose its descriptors are.
var guardFiles = sync.OnceValue(guardCutFiles)

func guardCutFiles() bool { return C.zk_guard_cut_files() == 0 }

func filesIntact() bool { return C.zk_files_intact() != 0 }

func giveUpFile(device, inode uint64) { C.zk_files_give_up(C.uint64_t(device), C.uint64_t(inode)) }

func fileCuts() uint64 { return uint64(C.zk_files_cut()) }

// guardLock has the children of this process close a descriptor that locks files.
func guardLock(fd int) (forget func()) {
	C.zk_lock_opened(C.int(fd))
	return func() { C.zk_lock_closes(C.int(fd)) }
}
