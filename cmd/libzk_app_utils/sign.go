// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdint.h>
import "C"

// digestSize is the length in bytes of the digests that a key signs. The API
// passes no length.
const digestSize = 32

//export goGenECDSASigFromDigest
func goGenECDSASigFromDigest(ctx context, digest *C.uint8_t, slot C.int, sig **C.uint8_t, size *C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, sig) || !required(&c, size) {
		return result
	}
	if digest := c.bytesOf(digest, digestSize); c.accepted() {
		s, err := c.device.Sign(slotOf(slot), digest)
		if c.succeeded(err) {
			giveSized(sig, size, s)
		}
	}
	return result
}

//export goGenECDSASigFromDigestWithRecID
func goGenECDSASigFromDigestWithRecID(ctx context, digest *C.uint8_t, slot C.int, sig **C.uint8_t, size *C.int, recovery *C.uint8_t) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, sig) || !required(&c, size) || !required(&c, recovery) {
		return result
	}
	if digest := c.bytesOf(digest, digestSize); c.accepted() {
		s, y, err := c.device.SignRecoverable(slotOf(slot), digest)
		if c.succeeded(err) {
			giveSized(sig, size, s)
			*recovery = C.uint8_t(y)
		}
	}
	return result
}

// goVerifyECDSASigFromDigest answers 1 for a good signature and 0 for a bad one.
//
//export goVerifyECDSASigFromDigest
func goVerifyECDSASigFromDigest(ctx context, digest *C.uint8_t, slot C.int, sig *C.uint8_t, size C.int) (good C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&good)
	if digest, sig := c.bytesOf(digest, digestSize), c.bytesOf(sig, size); c.accepted() {
		valid, err := c.device.Verify(slotOf(slot), digest, sig)
		if c.succeeded(err) && valid {
			good = 1
		}
	}
	return good
}

//export goVerifyECDSASigFromDigestWithForeignKeySlot
func goVerifyECDSASigFromDigestWithForeignKeySlot(ctx context, digest *C.uint8_t, slot C.int, sig *C.uint8_t, size C.int) (good C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&good)
	if digest, sig := c.bytesOf(digest, digestSize), c.bytesOf(sig, size); c.accepted() {
		valid, err := c.device.VerifyForeign(slotOf(slot), digest, sig)
		if c.succeeded(err) && valid {
			good = 1
		}
	}
	return good
}
