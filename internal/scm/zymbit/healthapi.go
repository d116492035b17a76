// SPDX-License-Identifier: Apache-2.0

package zymbit

// #include "shim.h"
import "C"

import (
	"encoding/binary"
	"unsafe"
)

func (l *library) binding() (production, bound bool, err error) {
	var locked, there C.bool
	rc := C.callGetCurrentBindingInfo(l.f, l.ctx, &locked, &there)
	return bool(locked), bool(there), failed("zkGetCurrentBindingInfo", rc)
}

func (l *library) volts() (float32, error) {
	var v C.float
	rc := C.callGetBatteryVoltage(l.f, l.ctx, &v)
	return float32(v), failed("zkGetBatteryVoltage", rc)
}

func (l *library) celsius() (float32, error) {
	var v C.float
	rc := C.callGetCPUTemp(l.f, l.ctx, &v)
	return float32(v), failed("zkGetCPUTemp", rc)
}

func (l *library) breaches() ([]uint32, error) {
	var p *C.uint32_t
	var n C.int
	rc := C.callGetPerimeterDetectInfo(l.f, l.ctx, &p, &n)
	bytes, err := l.takeBytes("zkGetPerimeterDetectInfo", rc, (*C.uint8_t)(unsafe.Pointer(p)), n*C.sizeof_uint32_t)
	times := make([]uint32, len(bytes)/C.sizeof_uint32_t)
	for i := range times {
		times[i] = binary.NativeEndian.Uint32(bytes[i*C.sizeof_uint32_t:])
	}
	return times, err
}
