// SPDX-License-Identifier: Apache-2.0

// Package statefiles does to the files of a state directory what administrators, faulty
// disks and other users do to them, while processes use the token and before they begin.
package statefiles

import (
	"os"
	"testing"

	"libzk_pkcs11/tests/harness"
)

func TestMain(m *testing.M) {
	harness.Play(m, map[string]func(string) error{
		"user": func(module string) error { return newUser(module).serve(os.Stdin, os.Stdout) },
	})
}

func soak() bool { return os.Getenv("ZK_SOAK") != "" }
