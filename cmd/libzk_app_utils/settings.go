// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdlib.h>
// #include "fork.h"
import "C"

import (
	"unsafe"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/internal/trace"
)

// connect opens the soft SCM of the first slot in the settings. Its backend does
// not matter: a module whose backend is "zymbit" may be what calls.
func connect() (connection, error) {
	settings, err := config.Load(getenv)
	if err != nil {
		return connection{}, err
	}
	level, err := trace.ParseLevel(settings.Log.Level)
	if err != nil {
		return connection{}, err
	}
	d, err := setup.OpenSoft(settings, settings.Slots[0], guardLock)
	return connection{d, trace.NewLogger(level, settings.Log.To)}, err
}

// getenv asks C: Go's own copy of the environment lacks what the host has set
// since it started. Where privileges differ there is no environment.
func getenv(name string) string {
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	return C.GoString(C.secure_getenv(cname))
}

// guardLock has the children of this process close a descriptor that locks files.
func guardLock(fd int) (forget func()) {
	C.zk_lock_opened(C.int(fd))
	return func() { C.zk_lock_closes(C.int(fd)) }
}
