// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// names are the packages that there are.
var names = []string{"libzk-pkcs11", "zk-pkcs11-utils", "zk-scm-emulator"}

// built packs what make built, for this machine, and returns the folder with the packages.
func built(t *testing.T) string {
	t.Helper()
	harness.Need(t, "dpkg-buildpackage", "dh", "go-md2man", "dh_installsysusers")
	build, bin := t.TempDir(), filepath.Dir(harness.Module(t))
	told := strings.Fields(run(t, exec.Command(harness.Build(t, "zk_pkcs11-util"), "version")))
	cmd := exec.Command(filepath.Join(harness.Root(t), "scripts/deb.sh"))
	cmd.Env = append(os.Environ(), "BUILD="+build, "BIN="+bin, "VERSION="+told[1], "ARCH=", "COMPRESSION=gzip")
	run(t, cmd)
	return filepath.Join(build, "packages")
}

// run runs a command that has to end well.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

// deb is the file of a package.
func deb(t *testing.T, folder, name string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, name+"_*.deb"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: %q, %v", name, files, err)
	}
	return files[0]
}

// contents are lines of dpkg-deb: mode and owner, and the path with where a link leads to.
func contents(t *testing.T, file string) (lines []string) {
	t.Helper()
	columns := regexp.MustCompile(`^(\S+ \S+) +\S+ \S+ \S+ \.(/.*)$`)
	for line := range strings.Lines(run(t, exec.Command("dpkg-deb", "--contents", file))) {
		if m := columns.FindStringSubmatch(strings.TrimSpace(line)); m != nil && !strings.HasSuffix(m[2], "/") {
			lines = append(lines, m[1]+" "+m[2])
		}
	}
	return lines
}

func TestPackages(t *testing.T) {
	folder := built(t)
	multiarch := strings.TrimSpace(run(t, exec.Command("dpkg-architecture", "-q", "DEB_HOST_MULTIARCH")))
	module := "/usr/lib/" + multiarch + "/libzk_pkcs11.so"
	for name, want := range map[string][]string{
		"libzk-pkcs11": {
			"-rw-r--r-- root/root " + module,
			"lrwxrwxrwx root/root /usr/lib/libzk_pkcs11.so -> " + strings.TrimPrefix(module, "/usr/lib/"),
			"-rw-r--r-- root/root /etc/zk_pkcs11/zk_pkcs11.toml",
			"-rw-r--r-- root/root /usr/share/p11-kit/modules/zk_pkcs11.module",
			"-rw-r--r-- root/root /usr/share/man/man7/libzk_pkcs11.7.gz",
			"-rw-r--r-- root/root /usr/share/man/man5/zk_pkcs11.toml.5.gz",
		},
		"zk-pkcs11-utils": {
			"-rwxr-xr-x root/root /usr/bin/zk_pkcs11-util",
			"-rw-r--r-- root/root /usr/share/man/man1/zk_pkcs11-util.1.gz",
			"-rw-r--r-- root/root /usr/share/doc/zk-pkcs11-utils/README.md",
			"-rw-r--r-- root/root /usr/share/doc/zk-pkcs11-utils/docs/recovery.md",
			"-rw-r--r-- root/root /usr/share/doc/zk-pkcs11-utils/docs/clients/nginx.md",
			"-rw-r--r-- root/root /usr/share/bash-completion/completions/zk_pkcs11-util",
			"-rw-r--r-- root/root /usr/share/zsh/vendor-completions/_zk_pkcs11-util",
			"-rw-r--r-- root/root /usr/share/fish/vendor_completions.d/zk_pkcs11-util.fish",
			"-rwxr-xr-x root/root /usr/lib/cryptsetup/scripts/zk_pkcs11",
			"-rw-r--r-- root/root /usr/lib/systemd/system/zk_pkcs11-disk.socket",
			"-rw-r--r-- root/root /usr/lib/systemd/system/zk_pkcs11-disk@.service",
			"-rw-r--r-- root/root /usr/lib/systemd/system/zk_pkcs11.socket",
			"-rw-r--r-- root/root /usr/lib/systemd/system/zk_pkcs11@.service",
		},
		"zk-scm-emulator": {
			"-rwxr-xr-x root/root /usr/bin/zk-soft-scm",
			"-rw-r--r-- root/root /usr/lib/" + multiarch + "/zk-scm-emulator/libzk_app_utils.so",
			"-rw-r--r-- root/root /usr/include/zk-scm-emulator/zk_app_utils.h",
			"-rw-r--r-- root/root /usr/share/man/man1/zk-soft-scm.1.gz",
		},
	} {
		got := contents(t, deb(t, folder, name))
		for _, line := range append(want, "-rw-r--r-- root/root /usr/share/doc/"+name+"/NOTICE.gz") {
			if !slices.Contains(got, line) {
				t.Errorf("%s has no %q:\n%s", name, line, strings.Join(got, "\n"))
			}
		}
	}
	t.Run("lintian", func(t *testing.T) { checkLintian(t, folder) })
	t.Run("life", func(t *testing.T) { checkLife(t, "/", folder) })
	t.Run("group", func(t *testing.T) { checkGroup(t, "/", folder) })
	t.Run("other owner", func(t *testing.T) { checkOtherOwner(t, "/", folder) })
	t.Run("under nginx", func(t *testing.T) { checkLive(t, "/", folder, theseOnes(folder)) })
	t.Run("from 0.1.0 under nginx", func(t *testing.T) { checkLive010(t, "/", folder) })
}

// checkLintian: Debian's own judge of packages finds no error.
func checkLintian(t *testing.T, folder string) {
	harness.Need(t, "lintian")
	args := []string{"--allow-root", "--fail-on", "error"}
	for _, name := range names {
		args = append(args, deb(t, folder, name))
	}
	t.Log(run(t, exec.Command("lintian", args...)))
}

// TestNotice: the text of the licence of each module that is built in goes along.
func TestNotice(t *testing.T) {
	harness.Need(t, "go")
	notice, err := os.ReadFile(filepath.Join(harness.Root(t), "NOTICE"))
	if err != nil {
		t.Fatal(err)
	}
	modules := regexp.MustCompile(`(?m)^\s+dep\s+(\S+)\s+(\S+)`)
	for _, name := range []string{"libzk_pkcs11.so", "libzk_app_utils.so", "zk_pkcs11-util"} {
		found := modules.FindAllStringSubmatch(run(t, exec.Command("go", "version", "-m", harness.Build(t, name))), -1)
		if len(found) == 0 {
			t.Errorf("%s does not tell what is built in", name)
		}
		for _, m := range found {
			if !strings.Contains(string(notice), "\n"+m[1]+" "+m[2]+"\n====") {
				t.Errorf("NOTICE has no licence of %s %s, which is in %s: run scripts/notice.sh", m[1], m[2], name)
			}
		}
	}
}
