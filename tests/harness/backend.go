// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Why tests are skipped, or expect another answer, where the module reaches the
// soft SCM as it reaches the hardware.
const (
	NoPlace       = "the vendor's C API makes a key in a slot of its own choice"
	NoReadObject  = "pkcs11-tool 0.23 reads a public key after it has freed it, which fails beside a second library in Go"
	WholeEd25519  = "the vendor's C API signs 32 bytes with an Ed25519 key, and no other length"
	NoInject      = "the tool makes nothing happen to an SCM in hardware"
	NoSeal        = "the vendor's C API has no PIN, which would seal the private keys"
	SecondRuntime = "our own libzk_app_utils.so brings a runtime as Go makes it into the host, which the vendor's does not"
)

// OverVendor reports whether the module uses the soft SCM through the vendor's C
// API, by the driver for the hardware: ZK_PKCS11_BACKEND=zymbit.
func OverVendor() bool { return os.Getenv("ZK_PKCS11_BACKEND") == "zymbit" }

// SoftOnly skips a test of what the hardware path cannot do.
func SoftOnly(t testing.TB, why string) {
	t.Helper()
	if OverVendor() {
		t.Skip(why)
	}
}

// VendorLibrary is our own libzk_app_utils.so where it is needed, else "".
func VendorLibrary(t testing.TB) string {
	t.Helper()
	if !OverVendor() {
		return ""
	}
	return Build(t, "libzk_app_utils.so")
}

// Backend are the variables that choose how the module reaches the soft SCM:
// directly, or through a library.
func Backend(library string) []string {
	if library == "" {
		return []string{"ZK_PKCS11_BACKEND=soft"}
	}
	return []string{"ZK_PKCS11_BACKEND=zymbit", "ZK_APP_UTILS_LIB=" + library}
}

// Machine is the identity of the host, which tests that open an SCM by themselves have
// to give it where the vendor's C API opens it, too.
func Machine() string {
	id, _ := os.ReadFile("/etc/machine-id") // there may be none
	return strings.TrimSpace(string(id))
}

// BackendSettings is Backend for a file of settings. They end in a table.
func BackendSettings(library string) string {
	if library == "" {
		return "backend = \"soft\"\n"
	}
	return fmt.Sprintf("backend = \"zymbit\"\n[zymbit]\nlibrary = %q\n", library)
}
