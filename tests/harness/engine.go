// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// engineConf gives OpenSSL's engine to every program that reads OpenSSL's configuration. A server that
// names the engine itself may leave it uninitialised (nginx of Debian 13), or let it go at a restart while its
// keys stay (Apache of Debian 13).
const engineConf = `openssl_conf = init
[init]
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
MODULE_PATH = %s
init = 1
[req]
distinguished_name = name
[name]
`

// EngineConf is a configuration of OpenSSL with the engine pkcs11, for a module.
func EngineConf(module string) string { return fmt.Sprintf(engineConf, module) }

// OlderPackage reports whether a Debian package is older than a version. Without it the test is skipped.
func OlderPackage(t testing.TB, name, version string) bool {
	t.Helper()
	out, err := exec.Command("dpkg-query", "--show", "--showformat", "${Version}", name).Output()
	if err != nil {
		t.Skipf("the Debian package %s is not installed", name)
	}
	return exec.Command("dpkg", "--compare-versions", strings.TrimSpace(string(out)), "lt", version).Run() == nil
}
