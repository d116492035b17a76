// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdint.h>
import "C"

import (
	"time"
	"unsafe"
)

//export goSetPerimeterEventAction
func goSetPerimeterEventAction(ctx context, channel C.int, flags C.uint32_t) C.int {
	return call(ctx, func(d *device) error { return d.SetPerimeterAction(int(channel), uint32(flags)) })
}

//export goSetDigitalPerimeterDetectLPPeriod
func goSetDigitalPerimeterDetectLPPeriod(ctx context, period C.int) C.int {
	return call(ctx, func(d *device) error {
		check(period > 0)
		return d.SetPerimeterLowPower(int(period), -1)
	})
}

//export goSetDigitalPerimeterDetectLPMaxBits
func goSetDigitalPerimeterDetectLPMaxBits(ctx context, bits C.int) C.int {
	return call(ctx, func(d *device) error {
		check(bits > 0)
		return d.SetPerimeterLowPower(-1, int(bits))
	})
}

//export goSetDigitalPerimeterDetectDelays
func goSetDigitalPerimeterDetectDelays(ctx context, least, most C.int) C.int {
	return call(ctx, func(d *device) error { return d.SetPerimeterDelays(int(least), int(most)) })
}

//export goWaitForPerimeterEvent
func goWaitForPerimeterEvent(ctx context, timeout C.uint32_t) C.int {
	return call(ctx, func(d *device) error { return d.WaitPerimeter(milliseconds(timeout)) })
}

//export goGetPerimeterDetectInfo
func goGetPerimeterDetectInfo(ctx context, times **C.uint32_t, size *C.int) C.int {
	return call(ctx, func(d *device) error {
		need(times)
		need(size)
		events, err := d.PerimeterEvents()
		if err == nil {
			bytes := unsafe.Slice((*byte)(unsafe.Pointer(&events)), unsafe.Sizeof(events))
			put(times, memory(bytes))
			*size = C.int(len(events))
		}
		return err
	})
}

//export goClearPerimeterDetectEvents
func goClearPerimeterDetectEvents(ctx context) C.int {
	return call(ctx, (*device).ClearPerimeter)
}

func milliseconds(n C.uint32_t) time.Duration { return time.Duration(n) * time.Millisecond }
