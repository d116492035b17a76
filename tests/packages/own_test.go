// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

var testsLine = regexp.MustCompile(`(?m)^Tests: (.+)$`)

// checkOwnTests runs the packages' own tests, which are in the form that autopkgtest takes, in a
// system where they and what they depend on are installed.
func checkOwnTests(m *machine) {
	m.t.Helper()
	folder := filepath.Join(harness.Root(m.t), "packaging/debian/tests")
	control, err := os.ReadFile(filepath.Join(folder, "control"))
	if err != nil {
		m.t.Fatal(err)
	}
	for _, line := range testsLine.FindAllStringSubmatch(string(control), -1) {
		for name := range strings.FieldsSeq(line[1]) {
			m.take(filepath.Join(folder, name))
			m.run("export AUTOPKGTEST_TMP=$(mktemp -d)\n/debs/" + name)
			m.t.Logf("%s passes", name)
		}
	}
}

// TestNewDebian installs the packages on a Debian 12 that has nothing else, and goes through
// their life there.
func TestNewDebian(t *testing.T) {
	if os.Getenv("ZK_SOAK") == "" {
		t.Skip("ZK_SOAK is not set: make soak runs this")
	}
	roots := os.Getenv("ZK_ROOTS") // where new systems are kept for the next time
	if roots == "" {
		roots = filepath.Join(harness.Root(t), "build/roots")
	}
	root := filepath.Join(roots, "bookworm")
	folder := built(t)
	run(t, exec.Command(filepath.Join(harness.Root(t), "scripts/debian-root.sh"), "bookworm", root,
		"systemd", "debconf", "opensc", "p11-kit", "p11-kit-modules", "gcc", "libc6-dev", "bash-completion"))
	t.Run("life", func(t *testing.T) { checkLife(t, root, folder) })
	t.Run("group", func(t *testing.T) { checkGroup(t, root, folder) })
	t.Run("other owner", func(t *testing.T) { checkOtherOwner(t, root, folder) })
}
