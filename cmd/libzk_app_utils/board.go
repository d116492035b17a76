// SPDX-License-Identifier: Apache-2.0

package main

// #include "zk_app_utils.h"
import "C"

import "time"

//export goLEDOff
func goLEDOff(ctx context) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.SetLED(0, 0, 0)
	}
	return result
}

//export goLEDOn
func goLEDOn(ctx context) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.SetLED(time.Second, 0, 0)
	}
	return result
}

//export goLEDFlash
func goLEDFlash(ctx context, on, off, flashes C.uint32_t) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.SetLED(milliseconds(on), milliseconds(off), uint32(flashes))
	}
	return result
}

//export goSetI2CAddr
func goSetI2CAddr(ctx context, address C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.SetI2CAddress(int(address))
	}
	return result
}

//export goGetTime
func goGetTime(ctx context, seconds *C.uint32_t, precise C.bool) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, seconds) {
		return result
	}
	now := c.device.Time
	if precise {
		now = c.device.NextSecond
	}
	t, err := now()
	if c.succeeded(err) {
		*seconds = C.uint32_t(t)
	}
	return result
}

//export goSetTapSensitivity
func goSetTapSensitivity(ctx context, axis C.int, percent C.float) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.SetTapSensitivity(int(axis), float32(percent))
	}
	return result
}

//export goWaitForTap
func goWaitForTap(ctx context, timeout C.uint32_t) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.WaitTap(milliseconds(timeout))
	}
	return result
}

//export goGetAccelerometerData
func goGetAccelerometerData(ctx context, x, y, z *C.zkAccelAxisDataType) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, x) || !required(&c, y) || !required(&c, z) {
		return result
	}
	data, err := c.device.Accelerometer()
	if c.succeeded(err) {
		giveAxis(x, data[0].G, data[0].Tap)
		giveAxis(y, data[1].G, data[1].Tap)
		giveAxis(z, data[2].G, data[2].Tap)
	}
	return result
}

func giveAxis(to *C.zkAccelAxisDataType, g float64, tap int) {
	to.g, to.tapDirection = C.double(g), C.int(tap)
}
