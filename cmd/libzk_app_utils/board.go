// SPDX-License-Identifier: Apache-2.0

package main

// #include "zk_app_utils.h"
import "C"

import "time"

//export goLEDOff
func goLEDOff(ctx context) C.int {
	return call(ctx, func(d *device) error { return d.SetLED(0, 0, 0) })
}

//export goLEDOn
func goLEDOn(ctx context) C.int {
	return call(ctx, func(d *device) error { return d.SetLED(time.Second, 0, 0) })
}

//export goLEDFlash
func goLEDFlash(ctx context, on, off, flashes C.uint32_t) C.int {
	return call(ctx, func(d *device) error {
		return d.SetLED(milliseconds(on), milliseconds(off), uint32(flashes))
	})
}

//export goSetI2CAddr
func goSetI2CAddr(ctx context, address C.int) C.int {
	return call(ctx, func(d *device) error { return d.SetI2CAddress(int(address)) })
}

//export goGetTime
func goGetTime(ctx context, seconds *C.uint32_t, precise C.bool) C.int {
	return call(ctx, func(d *device) error {
		need(seconds)
		t, err := d.Time(bool(precise))
		if err == nil {
			*seconds = C.uint32_t(t)
		}
		return err
	})
}

//export goSetTapSensitivity
func goSetTapSensitivity(ctx context, axis C.int, percent C.float) C.int {
	return call(ctx, func(d *device) error { return d.SetTapSensitivity(int(axis), float32(percent)) })
}

//export goWaitForTap
func goWaitForTap(ctx context, timeout C.uint32_t) C.int {
	return call(ctx, func(d *device) error { return d.WaitTap(milliseconds(timeout)) })
}

//export goGetAccelerometerData
func goGetAccelerometerData(ctx context, x, y, z *C.zkAccelAxisDataType) C.int {
	return call(ctx, func(d *device) error {
		axes := [...]*C.zkAccelAxisDataType{x, y, z}
		for _, a := range axes {
			need(a)
		}
		data, err := d.Accelerometer()
		if err != nil {
			return err
		}
		for i, a := range axes {
			a.g, a.tapDirection = C.double(data[i].G), C.int(data[i].Tap)
		}
		return nil
	})
}
