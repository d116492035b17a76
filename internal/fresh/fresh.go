// SPDX-License-Identifier: Apache-2.0

// Package fresh is C: what both libraries need in a host that forks and closes
// descriptors. It loads a fresh copy of a library for forked children, hands down to them
// what their parent knew, and looks whose a descriptor is. C files of the libraries include
// its headers; the package has no Go code, and is imported to be linked.
package fresh

// #cgo CFLAGS: -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wall -Wextra
// #cgo LDFLAGS: -ldl -lpthread
import "C"
