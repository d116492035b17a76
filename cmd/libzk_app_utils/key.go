// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdbool.h>
// #include <stdint.h>
import "C"

import (
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
)

//export goGenKeyPair
func goGenKeyPair(ctx context, curve C.int) C.int {
	return answer(ctx, func(d *soft.Device) (int, error) {
		k, err := d.Generate(scm.Curve(curve))
		return int(k.Slot), err
	})
}

//export goGetAllocSlotsList
func goGetAllocSlotsList(ctx context, foreign C.bool, capacity *C.int, list **C.int, size *C.int) C.int {
	return call(ctx, func(d *soft.Device) error {
		need(capacity)
		need(list)
		need(size)
		keys, err := d.Keys()
		if err != nil {
			return err
		}
		slots := make([]C.int, len(keys))
		for i, k := range keys {
			slots[i] = C.int(k.Slot)
		}
		*capacity = C.int(scm.LastUser + 1)
		giveInts(list, size, slots)
		return nil
	})
}

//export goRemoveKey
func goRemoveKey(ctx context, slot C.int, foreign C.bool) C.int {
	return call(ctx, func(d *soft.Device) error { return d.Remove(slotOf(slot)) })
}
