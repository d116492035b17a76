// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdint.h>
import "C"

import (
	"time"
	"unsafe"
)

//export goSetPerimeterEventAction
func goSetPerimeterEventAction(ctx context, channel C.int, flags C.uint32_t) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.SetPerimeterAction(int(channel), uint32(flags))
	}
	return result
}

//export goSetDigitalPerimeterDetectLPPeriod
func goSetDigitalPerimeterDetectLPPeriod(ctx context, period C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.positive(period); c.accepted() {
		c.err = c.device.SetPerimeterLowPower(int(period), -1)
	}
	return result
}

//export goSetDigitalPerimeterDetectLPMaxBits
func goSetDigitalPerimeterDetectLPMaxBits(ctx context, bits C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.positive(bits); c.accepted() {
		c.err = c.device.SetPerimeterLowPower(-1, int(bits))
	}
	return result
}

//export goSetDigitalPerimeterDetectDelays
func goSetDigitalPerimeterDetectDelays(ctx context, least, most C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.SetPerimeterDelays(int(least), int(most))
	}
	return result
}

//export goWaitForPerimeterEvent
func goWaitForPerimeterEvent(ctx context, timeout C.uint32_t) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.WaitPerimeter(milliseconds(timeout))
	}
	return result
}

//export goGetPerimeterDetectInfo
func goGetPerimeterDetectInfo(ctx context, times **C.uint32_t, size *C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, times) || !required(&c, size) {
		return result
	}
	events, err := c.device.PerimeterEvents()
	if c.succeeded(err) {
		bytes := unsafe.Slice((*byte)(unsafe.Pointer(&events)), unsafe.Sizeof(events))
		storeAddress(times, copyToC(bytes))
		*size = C.int(len(events))
	}
	return result
}

//export goClearPerimeterDetectEvents
func goClearPerimeterDetectEvents(ctx context) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.ClearPerimeter()
	}
	return result
}

// positive refuses a number that is not one of things to count.
func (c *call) positive(n C.int) {
	if n <= 0 {
		c.refuse(errArgument)
	}
}

func milliseconds(n C.uint32_t) time.Duration { return time.Duration(n) * time.Millisecond }
