// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdbool.h>
// #include <stdint.h>
import "C"

import (
	"cmp"

	"libzk_pkcs11/internal/scm"
)

//export goGetModelNumberString
func goGetModelNumberString(ctx context, model **C.char) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	required(&c, model)
	if c.describe(); c.accepted() {
		giveText(model, c.device.Options().ModelNumber)
	}
	return result
}

//export goGetFirmwareVersionString
func goGetFirmwareVersionString(ctx context, firmware **C.char) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	required(&c, firmware)
	if info := c.describe(); c.accepted() {
		giveText(firmware, info.Firmware)
	}
	return result
}

//export goGetSerialNumberString
func goGetSerialNumberString(ctx context, serial **C.char) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	required(&c, serial)
	if info := c.describe(); c.accepted() {
		giveText(serial, cmp.Or(c.device.Options().SerialNumber, info.Serial))
	}
	return result
}

// describe returns what the device tells of itself.
func (c *call) describe() (info scm.Info) {
	if c.accepted() {
		info, c.err = c.device.Info()
	}
	return info
}

//export goLockBinding
func goLockBinding(ctx context) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.LockBinding()
	}
	return result
}

//export goGetCurrentBindingInfo
func goGetCurrentBindingInfo(ctx context, locked, bound *C.bool) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, locked) || !required(&c, bound) {
		return result
	}
	l, b, err := c.device.Binding()
	if c.succeeded(err) {
		*locked, *bound = C.bool(l), C.bool(b)
	}
	return result
}
