// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestNewcomer does what README tells a user who has the packages and nothing else, in a new Debian without a compiler: from
// apt install to a handshake of nginx with the key in key slot 0.
func TestNewcomer(t *testing.T) {
	if os.Getenv("ZK_SOAK") == "" {
		t.Skip("ZK_SOAK is not set: make soak runs this")
	}
	folder := built(t)
	told := strings.Fields(run(t, exec.Command(harness.Build(t, "zk_pkcs11-util"), "version")))
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			cmd := exec.Command(filepath.Join(harness.Root(t), "scripts/newcomer.sh"), suite)
			cmd.Env = append(os.Environ(), "PACKAGES="+folder, "VERSION="+told[1])
			out := run(t, cmd)
			t.Log(out)
			for _, want := range []string{"\nhello\n", "www    0001  P-256  key slot 0"} {
				if !strings.Contains(out, want) {
					t.Errorf("the transcript has no %q", want)
				}
			}
		})
	}
}
