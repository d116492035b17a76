// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdbool.h>
// #include <stdint.h>
import "C"

import (
	"errors"

	"libzk_pkcs11/internal/scm"
)

//export goGenKeyPair
func goGenKeyPair(ctx context, curve C.int) (slot C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&slot)
	if !c.accepted() {
		return slot
	}
	k, err := c.device.Generate(scm.Curve(curve))
	if c.succeeded(err) {
		slot = C.int(k.Slot)
	}
	return slot
}

//export goGetAllocSlotsList
func goGetAllocSlotsList(ctx context, foreign C.bool, capacity *C.int, list **C.int, size *C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, capacity) || !required(&c, list) || !required(&c, size) {
		return result
	}
	most, slots, err := slotsOf(c.device, foreign)
	if !c.succeeded(err) {
		return result
	}
	numbers := make([]C.int, len(slots))
	for i, s := range slots {
		numbers[i] = C.int(s)
	}
	*capacity = C.int(most)
	giveInts(list, size, numbers)
	return result
}

// slotsOf returns for how many keys there is room in one of the numberings, and which hold some.
func slotsOf(d *device, foreign C.bool) (most int, slots []scm.Slot, err error) {
	if foreign {
		slots, err = d.ForeignSlots()
		return scm.ForeignSlots, slots, err
	}
	slots, err = d.Listed()
	return d.Capacity(), slots, err
}

//export goRemoveKey
func goRemoveKey(ctx context, slot C.int, foreign C.bool) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !c.accepted() {
		return result
	}
	c.err = removeKey(c.device, slotOf(slot), foreign)
	if errors.Is(c.err, scm.ErrSlotEmpty) && !c.device.Options().RefuseEmpty {
		c.err = nil
	}
	return result
}

func removeKey(d *device, s scm.Slot, foreign C.bool) error {
	if foreign {
		return d.RemoveForeign(s)
	}
	return d.Remove(scm.Key{Slot: s})
}

//export goStoreForeignPubKey
func goStoreForeignPubKey(ctx context, curve C.int, pk *C.uint8_t, size C.int) (slot C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&slot)
	if pk := c.bytesOf(pk, size); c.accepted() {
		s, err := c.device.StoreForeign(scm.Curve(curve), pk)
		if c.succeeded(err) {
			slot = C.int(s)
		}
	}
	return slot
}

//export goDisablePubKeyExport
func goDisablePubKeyExport(ctx context, slot C.int, foreign C.bool) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	switch {
	case !c.accepted():
	case bool(foreign):
		c.err = c.device.DisableForeignExport(slotOf(slot))
	default:
		c.err = c.device.DisableExport(slotOf(slot))
	}
	return result
}

//export goGenEphemeralKeyPair
func goGenEphemeralKeyPair(ctx context, curve C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.GenerateEphemeral(scm.Curve(curve))
	}
	return result
}

//export goInvalidateEphemeralKey
func goInvalidateEphemeralKey(ctx context) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.InvalidateEphemeral()
	}
	return result
}
