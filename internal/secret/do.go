// SPDX-License-Identifier: Apache-2.0

//go:build goexperiment.runtimesecret

package secret

import (
	"runtime"
	"runtime/secret"
	"time"
)

// Do calls f, and leaves nothing of what f had on its stack and in registers.
// What f allocated is overwritten once it is out of use; Collect sees to that.
func Do(f func()) { secret.Do(f) }

// within is Do for what a caller of Do may call: each Do overwrites the whole stack.
func within(f func()) {
	if secret.Enabled() {
		f()
		return
	}
	secret.Do(f)
}

// Collect overwrites what calls of Do have allocated and is out of use.
func Collect() { runtime.GC() }

// cleaningTime bounds how long CollectKeys waits for cleanups.
const cleaningTime = 100 * time.Millisecond

// CollectKeys is Collect for keys that computed. What the library of the standard has made of one it keeps beside it, and gives it up
// in a cleanup, after the collection that has found the key out of use.
func CollectKeys() {
	for range 2 {
		collectAndClean()
	}
	runtime.GC()
}

// collectAndClean collects, and waits for the cleanup of what it has found, as far as one tells of the others.
func collectAndClean() {
	cleaned := make(chan struct{})
	runtime.AddCleanup(new([32]byte), func(c chan struct{}) { close(c) }, cleaned)
	runtime.GC()
	select {
	case <-cleaned:
	case <-time.After(cleaningTime):
	}
}
