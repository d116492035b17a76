// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

//export goSeedRandom
func goSeedRandom(h C.CK_SESSION_HANDLE, seed C.CK_BYTE_PTR, n C.CK_ULONG) C.CK_RV {
	return within("C_SeedRandom", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.SeedRandom(uint(h), view[byte](seed, n))
	})
}

//export goGenerateRandom
func goGenerateRandom(h C.CK_SESSION_HANDLE, out C.CK_BYTE_PTR, n C.CK_ULONG) C.CK_RV {
	return within("C_GenerateRandom", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.GenerateRandom(uint(h), view[byte](out, n))
	})
}
