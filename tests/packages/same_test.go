// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestSameBytes builds the packages in two clones with other names, umasks and time zones: they
// are the same files.
func TestSameBytes(t *testing.T) {
	if os.Getenv("ZK_SOAK") == "" {
		t.Skip("ZK_SOAK is not set: make soak runs this")
	}
	harness.Need(t, "git", "make", "go", "dh", "go-md2man", "dh_installsysusers")
	head := exec.Command("git", "rev-parse", "HEAD")
	head.Dir = harness.Root(t)
	commit := strings.TrimSpace(run(t, head))
	first := buildClone(t, commit, "a", "umask 022; TZ=UTC")
	second := buildClone(t, commit, "another/folder", "umask 027; TZ=Asia/Tokyo")
	for _, name := range names {
		one, other := sum(t, deb(t, first, name)), sum(t, deb(t, second, name))
		if one != other {
			t.Errorf("%s: %x in one folder, %x in the other", name, one, other)
		}
	}
}

// buildClone clones the project as it was at a commit, and returns the folder of its packages.
func buildClone(t *testing.T, commit, name, before string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	script := before + `
		export TZ
		git clone --quiet "$1" "$2"
		cd "$2"
		git checkout --quiet --detach "$3"
		COMPRESSION=gzip make --no-print-directory deb`
	cmd := exec.Command("sh", "-euc", script, "sh", harness.Root(t), dir, commit)
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	run(t, cmd)
	return filepath.Join(dir, "build/packages")
}

func sum(t *testing.T, path string) [sha256.Size]byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(text)
}
