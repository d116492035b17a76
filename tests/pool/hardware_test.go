// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestHardware: the pool of an SCM in hardware names libraries. One that leads to the same SCM, and the state of a
// soft SCM, are left out with the reason, and the first signs.
func TestHardware(t *testing.T) {
	library := harness.Build(t, "libzk_app_utils.so")
	for member, reason := range map[string]string{library: "same SCM as another one", "soft": "names the vendor's libraries"} {
		h := harness.NewHome(t)
		log := filepath.Join(t.TempDir(), "log")
		h.Settings(fmt.Sprintf("log.to = %q\n[zymbit]\nlibrary = %q\n[[slot]]\nbackend = \"zymbit\"\npool = [%q]\n", log, library, member))
		h.Init()
		h.Run(harness.Build(t, "zk_pkcs11-util"), "key", "name", "3", "--slot", "0", "--pin", harness.UserPIN, "--label", keyLabel)
		p := &pool{Home: h, t: t, log: log}
		p.sign(1, 2, 5, nothing).check(t, 10)
		text, err := os.ReadFile(log)
		if err != nil || !strings.Contains(string(text), reason) {
			t.Errorf("%v: the log does not tell %q:\n%s", err, reason, text)
		}
	}
}
