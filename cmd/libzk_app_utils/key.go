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
func goGenKeyPair(ctx context, curve C.int) C.int {
	return answer(ctx, func(d *device) (int, error) {
		k, err := d.Generate(scm.Curve(curve))
		return int(k.Slot), err
	})
}

//export goGetAllocSlotsList
func goGetAllocSlotsList(ctx context, foreign C.bool, capacity *C.int, list **C.int, size *C.int) C.int {
	return call(ctx, func(d *device) error {
		need(capacity)
		need(list)
		need(size)
		most, slots := d.Capacity(), d.Listed
		if foreign {
			most, slots = scm.ForeignSlots, d.ForeignSlots
		}
		all, err := slots()
		if err != nil {
			return err
		}
		numbers := make([]C.int, len(all))
		for i, s := range all {
			numbers[i] = C.int(s)
		}
		*capacity = C.int(most)
		giveInts(list, size, numbers)
		return nil
	})
}

//export goRemoveKey
func goRemoveKey(ctx context, slot C.int, foreign C.bool) C.int {
	return call(ctx, func(d *device) error {
		err := removeKey(d, slotOf(slot), foreign)
		if errors.Is(err, scm.ErrSlotEmpty) && !d.Options().RefuseEmpty {
			return nil
		}
		return err
	})
}

func removeKey(d *device, s scm.Slot, foreign C.bool) error {
	if foreign {
		return d.RemoveForeign(s)
	}
	return d.Remove(scm.Key{Slot: s})
}

//export goStoreForeignPubKey
func goStoreForeignPubKey(ctx context, curve C.int, pk *C.uint8_t, size C.int) C.int {
	return answer(ctx, func(d *device) (int, error) {
		s, err := d.StoreForeign(scm.Curve(curve), view(pk, size))
		return int(s), err
	})
}

//export goDisablePubKeyExport
func goDisablePubKeyExport(ctx context, slot C.int, foreign C.bool) C.int {
	if foreign {
		return call(ctx, func(d *device) error { return d.DisableForeignExport(slotOf(slot)) })
	}
	return call(ctx, func(d *device) error { return d.DisableExport(slotOf(slot)) })
}

//export goGenEphemeralKeyPair
func goGenEphemeralKeyPair(ctx context, curve C.int) C.int {
	return call(ctx, func(d *device) error { return d.GenerateEphemeral(scm.Curve(curve)) })
}

//export goInvalidateEphemeralKey
func goInvalidateEphemeralKey(ctx context) C.int {
	return call(ctx, (*device).InvalidateEphemeral)
}
