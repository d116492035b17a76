// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdint.h>
import "C"

import (
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
)

//export goGetModelNumberString
func goGetModelNumberString(ctx context, model **C.char) C.int {
	return describe(ctx, model, func(i scm.Info) string { return i.Model })
}

//export goGetFirmwareVersionString
func goGetFirmwareVersionString(ctx context, firmware **C.char) C.int {
	return describe(ctx, firmware, func(i scm.Info) string { return i.Firmware })
}

//export goGetSerialNumberString
func goGetSerialNumberString(ctx context, serial **C.char) C.int {
	return describe(ctx, serial, func(i scm.Info) string { return i.Serial })
}

// describe gives one of the strings that describe the module.
func describe(ctx context, to **C.char, which func(scm.Info) string) C.int {
	return call(ctx, func(d *soft.Device) error {
		need(to)
		info, err := d.Info()
		if err == nil {
			giveText(to, which(info))
		}
		return err
	})
}
