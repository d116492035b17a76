// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdint.h>
import "C"

import "libzk_pkcs11/internal/scm/soft"

// digestSize is the length in bytes of the digests that a key signs. The API
// passes no length.
const digestSize = 32

//export goGenECDSASigFromDigest
func goGenECDSASigFromDigest(ctx context, digest *C.uint8_t, slot C.int, sig **C.uint8_t, size *C.int) C.int {
	return call(ctx, func(d *soft.Device) error {
		need(sig)
		need(size)
		s, err := d.Sign(slotOf(slot), view(digest, digestSize))
		if err == nil {
			giveSized(sig, size, s)
		}
		return err
	})
}
