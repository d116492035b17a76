// SPDX-License-Identifier: Apache-2.0

package main

import "C"

//export goGetCPUTemp
func goGetCPUTemp(ctx context, celsius *C.float) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if required(&c, celsius) {
		value, err := c.device.CPUTemperature()
		if c.succeeded(err) {
			*celsius = C.float(value)
		}
	}
	return result
}

//export goGetAUXTemp
func goGetAUXTemp(ctx context, index C.int, celsius *C.float) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if required(&c, celsius) {
		value, err := c.device.AuxTemperature(int(index))
		if c.succeeded(err) {
			*celsius = C.float(value)
		}
	}
	return result
}

//export goGetRTCDrift
func goGetRTCDrift(ctx context, drift *C.float) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if required(&c, drift) {
		value, err := c.device.RTCDrift()
		if c.succeeded(err) {
			*drift = C.float(value)
		}
	}
	return result
}

//export goGetBatteryVoltage
func goGetBatteryVoltage(ctx context, volts *C.float) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if required(&c, volts) {
		value, err := c.device.BatteryVoltage()
		if c.succeeded(err) {
			*volts = C.float(value)
		}
	}
	return result
}

//export goSetBatteryVoltageAction
func goSetBatteryVoltageAction(ctx context, action C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.SetBatteryAction(int(action))
	}
	return result
}

//export goSetBatteryVoltageThreshold
func goSetBatteryVoltageThreshold(ctx context, volts C.float) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.SetBatteryThreshold(float32(volts))
	}
	return result
}

//export goSetCPUTempAction
func goSetCPUTempAction(ctx context, action C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.SetTemperatureAction(int(action))
	}
	return result
}

//export goSetCPULowTempThreshold
func goSetCPULowTempThreshold(ctx context, celsius C.float) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if low := float32(celsius); c.accepted() {
		c.err = c.device.SetTemperatureThresholds(&low, nil)
	}
	return result
}

//export goSetCPUHighTempThreshold
func goSetCPUHighTempThreshold(ctx context, celsius C.float) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if high := float32(celsius); c.accepted() {
		c.err = c.device.SetTemperatureThresholds(nil, &high)
	}
	return result
}
