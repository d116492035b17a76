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

// TestOneVersion: the tool, the log and C_GetInfo tell the same one.
func TestOneVersion(t *testing.T) {
	harness.Need(t, "pkcs11-tool")
	home := harness.NewHome(t)
	told := home.Run(harness.Build(t, "zk_pkcs11-util"), "version")
	version, found := strings.CutPrefix(strings.TrimSpace(told), "zk_pkcs11-util ")
	if !found || version == "unknown" {
		t.Fatalf("the tool tells %q", told)
	}
	home.Set("ZK_PKCS11_LOG", "info")
	out := home.Run("pkcs11-tool", "--module", harness.Module(t), "--show-info", "--list-slots")
	if line := "libzk_pkcs11: info: libzk_pkcs11 " + version + "\n"; !strings.Contains(out, line) {
		t.Errorf("the log has no line %q:\n%s", line, out)
	}
	numbers := strings.FieldsFunc(version, func(r rune) bool { return strings.ContainsRune(".+~", r) })
	if want := "(ver " + numbers[0] + "." + numbers[1] + ")"; !strings.Contains(out, want) {
		t.Errorf("C_GetInfo does not tell %s of %s:\n%s", want, version, out)
	}
}

// git runs git in a folder, as somebody whose settings do not matter.
func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@localhost"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
}

// versionOf is what scripts/version.sh of a folder says.
func versionOf(t *testing.T, dir string) string {
	t.Helper()
	out, err := exec.Command(filepath.Join(dir, "scripts/version.sh")).CombinedOutput()
	if err != nil {
		t.Fatalf("version.sh: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// sources makes a folder with what version.sh reads.
func sources(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"scripts/version.sh", "packaging/release", ".gitattributes"} {
		text, err := os.ReadFile(filepath.Join(harness.Root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), string(text), 0o755)
	}
	write(t, filepath.Join(dir, "CHANGELOG.md"), "# Changelog\n\n## Unreleased\n\n## 3.4.5 - 2026-01-01\n\n## 3.4.4 - 2025-01-01\n", 0o644)
	return dir
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// TestVersionOfTag follows a clone from its first commit to a tag and past it.
func TestVersionOfTag(t *testing.T) {
	harness.Need(t, "git")
	dir := sources(t)
	expect := func(prefix, suffix string) {
		t.Helper()
		if got := versionOf(t, dir); !strings.HasPrefix(got, prefix) || !strings.HasSuffix(got, suffix) {
			t.Errorf("version %q, want %s...%s", got, prefix, suffix)
		}
	}
	expect("3.4.5+git.gunknown", "unknown")
	git(t, dir, "init", "--quiet")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "--quiet", "--message", "first")
	expect("3.4.5+git.g", "")
	git(t, dir, "tag", "v3.5.0-rc1")
	expect("3.5.0~rc1", "rc1")
	git(t, dir, "tag", "--delete", "v3.5.0-rc1")
	git(t, dir, "tag", "v3.5.0")
	expect("3.5.0", "3.5.0")
	write(t, filepath.Join(dir, "CHANGELOG.md"), "changed\n", 0o644)
	expect("3.5.0+changed", "changed")
	git(t, dir, "commit", "--quiet", "--all", "--message", "second")
	expect("3.5.0+1.g", "")
}

// TestVersionOfTarball: what git archive packs knows its release without git.
func TestVersionOfTarball(t *testing.T) {
	harness.Need(t, "git", "tar")
	dir, unpacked := sources(t), t.TempDir()
	git(t, dir, "init", "--quiet")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "--quiet", "--message", "first")
	git(t, dir, "tag", "v3.5.0")
	git(t, dir, "archive", "--output", filepath.Join(unpacked, "a.tar"), "HEAD")
	if out, err := exec.Command("tar", "-C", unpacked, "-xf", filepath.Join(unpacked, "a.tar")).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	if got := versionOf(t, unpacked); got != "3.5.0" {
		t.Errorf("version %q, want 3.5.0", got)
	}
}
