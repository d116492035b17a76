// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

//export goSeedRandom
func goSeedRandom(h C.CK_SESSION_HANDLE, seed C.CK_BYTE_PTR, n C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_SeedRandom", sessionArg(h), lengthArg(n))
	defer c.endWithin(&rv, h)
	if seed := sliceOf[byte](&c, seed, n); c.accepted() {
		c.err = c.library.provider.SeedRandom(uint(h), seed)
	}
	return rv
}

//export goGenerateRandom
func goGenerateRandom(h C.CK_SESSION_HANDLE, out C.CK_BYTE_PTR, n C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_GenerateRandom", sessionArg(h), lengthArg(n))
	defer c.endWithin(&rv, h)
	if out := sliceOf[byte](&c, out, n); c.accepted() {
		c.err = c.library.provider.GenerateRandom(uint(h), out)
	}
	return rv
}
