// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdint.h>
import "C"

//export goGetRandBytes
func goGetRandBytes(ctx context, rdata **C.uint8_t, size C.int) C.int {
	return call(ctx, func(d *device) error {
		need(rdata)
		b, err := random(d, size)
		if err == nil {
			give(rdata, b)
		}
		return err
	})
}

//export goCreateRandDataFile
func goCreateRandDataFile(ctx context, filename *C.char, size C.int) C.int {
	return call(ctx, func(d *device) error {
		path := text(filename)
		b, err := random(d, size)
		if err == nil {
			err = writeSecret(path, b)
		}
		return err
	})
}

func random(d *device, size C.int) ([]byte, error) {
	b := make([]byte, length(size))
	return b, d.Random(b)
}
