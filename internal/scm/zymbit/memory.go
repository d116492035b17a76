// SPDX-License-Identifier: Apache-2.0

package zymbit

// #include <stdlib.h>
// #include <stdint.h>
// #include <string.h>
// #include "shim.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// maxOutput is more bytes than any function of the library gives.
const maxOutput = 1 << 20

// takeBytes returns what a call has given and releases it, or the call's failure. It
// is the place where memory of the library becomes Go's, with takenText.
func (l *library) takeBytes(call string, rc C.int, p *C.uint8_t, size C.int) ([]byte, error) {
	if err := failed(call, rc); err != nil {
		return nil, err // p was not set, or is nobody's
	}
	defer C.zk_release(unsafe.Pointer(p))
	if p == nil {
		return nil, &oddity{call, fmt.Sprintf("NULL for %d bytes", int(size))}
	}
	if size < 0 || size > maxOutput {
		return nil, &oddity{call, fmt.Sprintf("%d bytes", int(size))}
	}
	return C.GoBytes(unsafe.Pointer(p), size), nil
}

// takenText returns a string that a call has given, "" for NULL, and releases it.
func takenText(s *C.char) string {
	defer C.zk_release(unsafe.Pointer(s))
	return C.GoString(s)
}

// secretText is takenText for what nobody is to find in memory later.
func secretText(s *C.char) string {
	defer C.zk_release(unsafe.Pointer(s))
	defer overwrite(s)
	return C.GoString(s)
}

// wipe overwrites a string that the library was given, and releases it.
func wipe(s *C.char) {
	overwrite(s)
	C.free(unsafe.Pointer(s))
}

func overwrite(s *C.char) {
	if s != nil {
		C.explicit_bzero(unsafe.Pointer(s), C.strlen(s))
	}
}
