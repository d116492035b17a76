// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdbool.h>
// #include <stdint.h>
import "C"

import (
	"errors"

	"libzk_pkcs11/internal/scm"
)

//export goLockDataF2F
func goLockDataF2F(ctx context, plain, locked *C.char, shared C.bool) C.int {
	return call(ctx, func(d *device) error {
		from, to := text(plain), text(locked)
		b, err := readFile(from)
		return lockToFile(d, b, err, to, shared)
	})
}

//export goLockDataB2F
func goLockDataB2F(ctx context, plain *C.uint8_t, size C.int, locked *C.char, shared C.bool) C.int {
	return call(ctx, func(d *device) error {
		return lockToFile(d, view(plain, size), nil, text(locked), shared)
	})
}

//export goLockDataF2B
func goLockDataF2B(ctx context, plain *C.char, locked **C.uint8_t, lockedSize *C.int, shared C.bool) C.int {
	return call(ctx, func(d *device) error {
		need(locked)
		need(lockedSize)
		b, err := readFile(text(plain))
		return lockToBuffer(d, b, err, locked, lockedSize, shared)
	})
}

//export goLockDataB2B
func goLockDataB2B(ctx context, plain *C.uint8_t, size C.int, locked **C.uint8_t, lockedSize *C.int, shared C.bool) C.int {
	return call(ctx, func(d *device) error {
		need(locked)
		need(lockedSize)
		return lockToBuffer(d, view(plain, size), nil, locked, lockedSize, shared)
	})
}

// lockToFile locks what was read, unless reading failed.
func lockToFile(d *device, plain []byte, err error, path string, shared C.bool) error {
	if err != nil {
		return err
	}
	b, err := d.Lock(plain, bool(shared))
	if err != nil {
		return err
	}
	return writeSecret(path, b)
}

func lockToBuffer(d *device, plain []byte, err error, to **C.uint8_t, size *C.int, shared C.bool) error {
	if err != nil {
		return err
	}
	b, err := d.Lock(plain, bool(shared))
	if err == nil {
		giveSized(to, size, b)
	}
	return err
}

//export goUnlockDataF2F
func goUnlockDataF2F(ctx context, locked, plain *C.char, shared C.bool) C.int {
	return call(ctx, func(d *device) error {
		from, to := text(locked), text(plain)
		b, err := readFile(from)
		return unlockToFile(d, b, err, to, shared)
	})
}

//export goUnlockDataB2F
func goUnlockDataB2F(ctx context, locked *C.uint8_t, size C.int, plain *C.char, shared C.bool) C.int {
	return call(ctx, func(d *device) error {
		return unlockToFile(d, view(locked, size), nil, text(plain), shared)
	})
}

//export goUnlockDataF2B
func goUnlockDataF2B(ctx context, locked *C.char, plain **C.uint8_t, plainSize *C.int, shared C.bool) C.int {
	return call(ctx, func(d *device) error {
		need(plain)
		need(plainSize)
		b, err := readFile(text(locked))
		return unlockToBuffer(d, b, err, plain, plainSize, shared)
	})
}

// goUnlockDataB2B answers as the vendor's wrapper in Python expects it of this
// function alone: 1 for unlocked data, and 0, with no data, for data that is not
// this module's. The vendor's header says 0 for success; that is what
// settings.Settings.UnlockZero makes of it.
//
//export goUnlockDataB2B
func goUnlockDataB2B(ctx context, locked *C.uint8_t, size C.int, plain **C.uint8_t, plainSize *C.int, shared C.bool) C.int {
	return answer(ctx, func(d *device) (int, error) {
		need(plain)
		need(plainSize)
		err := unlockToBuffer(d, view(locked, size), nil, plain, plainSize, shared)
		switch {
		case d.Options().UnlockZero:
			return 0, err
		case errors.Is(err, scm.ErrAuth):
			put(plain, nil)
			*plainSize = 0
			return 0, nil
		}
		return 1, err
	})
}

// unlockToFile unlocks what was read, unless reading failed.
func unlockToFile(d *device, locked []byte, err error, path string, shared C.bool) error {
	if err != nil {
		return err
	}
	b, err := d.Unlock(locked, bool(shared))
	if err != nil {
		return err
	}
	return writeSecret(path, b)
}

func unlockToBuffer(d *device, locked []byte, err error, to **C.uint8_t, size *C.int, shared C.bool) error {
	if err != nil {
		return err
	}
	b, err := d.Unlock(locked, bool(shared))
	if err == nil {
		giveSized(to, size, b)
	}
	return err
}
