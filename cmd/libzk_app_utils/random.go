// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdint.h>
import "C"

//export goGetRandBytes
func goGetRandBytes(ctx context, rdata **C.uint8_t, size C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	required(&c, rdata)
	if n := c.countOf(size); c.accepted() {
		b := make([]byte, n)
		if c.succeeded(c.device.Random(b)) {
			giveBytes(rdata, b)
		}
	}
	return result
}

//export goCreateRandDataFile
func goCreateRandDataFile(ctx context, filename *C.char, size C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	path, n := c.textOf(filename), c.countOf(size)
	if !c.accepted() {
		return result
	}
	b := make([]byte, n)
	if c.succeeded(c.device.Random(b)) {
		c.err = writeSecret(path, b)
	}
	return result
}
