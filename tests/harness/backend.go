// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"os"
	"testing"
)

// Why tests are skipped, or expect another answer, where the module reaches the
// soft SCM as it reaches the hardware.
const (
	NoPlace   = "the vendor's C API makes a key in a slot of its own choice"
	NoSession = "the vendor's C API keeps every key pair that it makes"
	NoUnbound = "the vendor's C API does not tell an SCM that is not bound from one that is slow"
)

// OverVendor tells whether the module uses the soft SCM through the vendor's C
// API, by the driver for the hardware: ZK_PKCS11_BACKEND=zymbit.
func OverVendor() bool { return os.Getenv("ZK_PKCS11_BACKEND") == "zymbit" }

// SoftOnly skips a test of what the hardware path cannot do.
func SoftOnly(t testing.TB, why string) {
	t.Helper()
	if OverVendor() {
		t.Skip(why)
	}
}
