// SPDX-License-Identifier: Apache-2.0

// Package answers has the module and the tool of administrators meet vendor's libraries
// that answer in ways which the vendor does not tell, or that are broken.
package answers

import (
	"testing"

	"libzk_pkcs11/tests/harness"
)

func TestMain(m *testing.M) {
	harness.Play(m, map[string]func(string) error{
		"look": func(module string) error { return look(module, true) },
		"sign": func(module string) error { return look(module, false) },
		"fill": fill,
	})
}
