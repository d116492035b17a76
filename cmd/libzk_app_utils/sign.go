// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdint.h>
import "C"

import "libzk_pkcs11/internal/scm"

// digestSize is the length in bytes of the digests that a key signs. The API
// passes no length.
const digestSize = 32

//export goGenECDSASigFromDigest
func goGenECDSASigFromDigest(ctx context, digest *C.uint8_t, slot C.int, sig **C.uint8_t, size *C.int) C.int {
	return call(ctx, func(d *device) error {
		need(sig)
		need(size)
		s, err := d.Sign(slotOf(slot), view(digest, digestSize))
		if err == nil {
			giveSized(sig, size, s)
		}
		return err
	})
}

//export goGenECDSASigFromDigestWithRecID
func goGenECDSASigFromDigestWithRecID(ctx context, digest *C.uint8_t, slot C.int, sig **C.uint8_t, size *C.int, recovery *C.uint8_t) C.int {
	return call(ctx, func(d *device) error {
		need(sig)
		need(size)
		need(recovery)
		s, y, err := d.SignRecoverable(slotOf(slot), view(digest, digestSize))
		if err == nil {
			giveSized(sig, size, s)
			*recovery = C.uint8_t(y)
		}
		return err
	})
}

//export goVerifyECDSASigFromDigest
func goVerifyECDSASigFromDigest(ctx context, digest *C.uint8_t, slot C.int, sig *C.uint8_t, size C.int) C.int {
	return verify(ctx, (*device).Verify, digest, slot, sig, size)
}

//export goVerifyECDSASigFromDigestWithForeignKeySlot
func goVerifyECDSASigFromDigestWithForeignKeySlot(ctx context, digest *C.uint8_t, slot C.int, sig *C.uint8_t, size C.int) C.int {
	return verify(ctx, (*device).VerifyForeign, digest, slot, sig, size)
}

// verifier is a method that verifies by a key of one of the two numberings.
type verifier func(d *device, s scm.Slot, digest, sig []byte) (bool, error)

// verify answers 1 for a good signature and 0 for a bad one.
func verify(ctx context, by verifier, digest *C.uint8_t, slot C.int, sig *C.uint8_t, size C.int) C.int {
	return answer(ctx, func(d *device) (int, error) {
		good, err := by(d, slotOf(slot), view(digest, digestSize), view(sig, size))
		if good {
			return 1, err
		}
		return 0, err
	})
}
