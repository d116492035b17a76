// SPDX-License-Identifier: Apache-2.0

// Command libzk_app_utils is libzk_app_utils.so: the soft SCM behind the C API of
// the vendor's host library, for programs and wrappers that are written for it.
//
// Settings and the state directory are those of libzk_pkcs11. There is no PIN in
// this API: a soft SCM that a PIN seals answers -EACCES.
package main

// #cgo CFLAGS: -D_GNU_SOURCE -Wall -Wextra -I${SRCDIR}/../../include
// #cgo LDFLAGS: -ldl -lpthread
// #include "zk_app_utils.h"
import "C"

func main() {} // of a library, never called
