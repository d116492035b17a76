// SPDX-License-Identifier: Apache-2.0

package main

import "C"

//export goGetCPUTemp
func goGetCPUTemp(ctx context, celsius *C.float) C.int {
	return measure(ctx, celsius, (*device).CPUTemperature)
}

//export goGetAUXTemp
func goGetAUXTemp(ctx context, index C.int, celsius *C.float) C.int {
	return measure(ctx, celsius, func(d *device) (float32, error) { return d.AuxTemperature(int(index)) })
}

//export goGetRTCDrift
func goGetRTCDrift(ctx context, drift *C.float) C.int {
	return measure(ctx, drift, (*device).RTCDrift)
}

//export goGetBatteryVoltage
func goGetBatteryVoltage(ctx context, volts *C.float) C.int {
	return measure(ctx, volts, (*device).BatteryVoltage)
}

// measure gives one of the values that the module measures.
func measure(ctx context, to *C.float, which func(*device) (float32, error)) C.int {
	return call(ctx, func(d *device) error {
		need(to)
		value, err := which(d)
		if err == nil {
			*to = C.float(value)
		}
		return err
	})
}

//export goSetBatteryVoltageAction
func goSetBatteryVoltageAction(ctx context, action C.int) C.int {
	return call(ctx, func(d *device) error { return d.SetBatteryAction(int(action)) })
}

//export goSetBatteryVoltageThreshold
func goSetBatteryVoltageThreshold(ctx context, volts C.float) C.int {
	return call(ctx, func(d *device) error { return d.SetBatteryThreshold(float32(volts)) })
}

//export goSetCPUTempAction
func goSetCPUTempAction(ctx context, action C.int) C.int {
	return call(ctx, func(d *device) error { return d.SetTemperatureAction(int(action)) })
}

//export goSetCPULowTempThreshold
func goSetCPULowTempThreshold(ctx context, celsius C.float) C.int {
	low := float32(celsius)
	return call(ctx, func(d *device) error { return d.SetTemperatureThresholds(&low, nil) })
}

//export goSetCPUHighTempThreshold
func goSetCPUHighTempThreshold(ctx context, celsius C.float) C.int {
	high := float32(celsius)
	return call(ctx, func(d *device) error { return d.SetTemperatureThresholds(nil, &high) })
}
