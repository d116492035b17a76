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
func goLockDataF2F(ctx context, plain, locked *C.char, shared C.bool) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	from, to := c.textOf(plain), c.textOf(locked)
	c.lockToFile(to, c.readFile(from), shared)
	return result
}

//export goLockDataB2F
func goLockDataB2F(ctx context, plain *C.uint8_t, size C.int, locked *C.char, shared C.bool) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	from, to := c.bytesOf(plain, size), c.textOf(locked)
	c.lockToFile(to, from, shared)
	return result
}

//export goLockDataF2B
func goLockDataF2B(ctx context, plain *C.char, locked **C.uint8_t, lockedSize *C.int, shared C.bool) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, locked) || !required(&c, lockedSize) {
		return result
	}
	from := c.readFile(c.textOf(plain))
	if b := c.lockData(from, shared); c.accepted() {
		giveSized(locked, lockedSize, b)
	}
	return result
}

//export goLockDataB2B
func goLockDataB2B(ctx context, plain *C.uint8_t, size C.int, locked **C.uint8_t, lockedSize *C.int, shared C.bool) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, locked) || !required(&c, lockedSize) {
		return result
	}
	if b := c.lockData(c.bytesOf(plain, size), shared); c.accepted() {
		giveSized(locked, lockedSize, b)
	}
	return result
}

func lockKey(shared C.bool) scm.LockKey {
	if shared {
		return scm.SharedKey
	}
	return scm.OneWayKey
}

// lockData locks what was read, unless reading failed.
func (c *call) lockData(plain []byte, shared C.bool) (locked []byte) {
	if c.accepted() {
		locked, c.err = c.device.Lock(plain, lockKey(shared))
	}
	return locked
}

func (c *call) lockToFile(path string, plain []byte, shared C.bool) {
	if b := c.lockData(plain, shared); c.accepted() {
		c.err = writeSecret(path, b)
	}
}

//export goUnlockDataF2F
func goUnlockDataF2F(ctx context, locked, plain *C.char, shared C.bool) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	from, to := c.textOf(locked), c.textOf(plain)
	c.unlockToFile(to, c.readFile(from), shared)
	return result
}

//export goUnlockDataB2F
func goUnlockDataB2F(ctx context, locked *C.uint8_t, size C.int, plain *C.char, shared C.bool) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	from, to := c.bytesOf(locked, size), c.textOf(plain)
	c.unlockToFile(to, from, shared)
	return result
}

//export goUnlockDataF2B
func goUnlockDataF2B(ctx context, locked *C.char, plain **C.uint8_t, plainSize *C.int, shared C.bool) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, plain) || !required(&c, plainSize) {
		return result
	}
	from := c.readFile(c.textOf(locked))
	if b := c.unlockData(from, shared); c.accepted() {
		giveSized(plain, plainSize, b)
	}
	return result
}

// goUnlockDataB2B answers as the vendor's wrapper in Python expects it of this
// function alone: 1 for unlocked data, and 0, with no data, for data that is not
// this module's. The vendor's header says 0 for success; that is what
// settings.Settings.UnlockZero makes of it.
//
//export goUnlockDataB2B
func goUnlockDataB2B(ctx context, locked *C.uint8_t, size C.int, plain **C.uint8_t, plainSize *C.int, shared C.bool) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, plain) || !required(&c, plainSize) {
		return result
	}
	b := c.unlockData(c.bytesOf(locked, size), shared)
	zero := c.device.Options().UnlockZero
	switch {
	case c.accepted() && zero:
		giveSized(plain, plainSize, b)
	case c.accepted():
		giveSized(plain, plainSize, b)
		result = 1
	case errors.Is(c.err, scm.ErrAuth) && !zero:
		storeAddress(plain, nil)
		*plainSize = 0
		c.err = nil
	}
	return result
}

// unlockData unlocks what was read, unless reading failed.
func (c *call) unlockData(locked []byte, shared C.bool) (plain []byte) {
	if c.accepted() {
		plain, c.err = c.device.Unlock(locked, lockKey(shared))
	}
	return plain
}

func (c *call) unlockToFile(path string, locked []byte, shared C.bool) {
	if b := c.unlockData(locked, shared); c.accepted() {
		c.err = writeSecret(path, b)
	}
}
