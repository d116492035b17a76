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
func goGetModelNumberString(ctx context, model **C.char) C.int {
	return describe(ctx, model, func(d *device, _ scm.Info) string { return d.Options().ModelNumber })
}

//export goGetFirmwareVersionString
func goGetFirmwareVersionString(ctx context, firmware **C.char) C.int {
	return describe(ctx, firmware, func(_ *device, i scm.Info) string { return i.Firmware })
}

//export goGetSerialNumberString
func goGetSerialNumberString(ctx context, serial **C.char) C.int {
	return describe(ctx, serial, func(d *device, i scm.Info) string {
		return cmp.Or(d.Options().SerialNumber, i.Serial)
	})
}

// describe gives one of the strings that describe the module.
func describe(ctx context, to **C.char, which func(*device, scm.Info) string) C.int {
	return call(ctx, func(d *device) error {
		need(to)
		info, err := d.Info()
		if err == nil {
			giveText(to, which(d, info))
		}
		return err
	})
}

//export goLockBinding
func goLockBinding(ctx context) C.int {
	return call(ctx, (*device).LockBinding)
}

//export goGetCurrentBindingInfo
func goGetCurrentBindingInfo(ctx context, locked, bound *C.bool) C.int {
	return call(ctx, func(d *device) error {
		need(locked)
		need(bound)
		l, b, err := d.Binding()
		if err == nil {
			*locked, *bound = C.bool(l), C.bool(b)
		}
		return err
	})
}
