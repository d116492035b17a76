// SPDX-License-Identifier: Apache-2.0

//go:build goexperiment.runtimesecret

package secret

import (
	"runtime"
	"runtime/secret"
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
