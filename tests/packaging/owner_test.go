// SPDX-License-Identifier: Apache-2.0

package packaging_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestInstallLeavesPackagesAlone: a file that a package has is neither overwritten nor removed,
// and make says whose it is.
func TestInstallLeavesPackagesAlone(t *testing.T) {
	harness.Need(t, "make", "dpkg-query")
	build, root := t.TempDir(), t.TempDir()
	for _, name := range []string{"libzk_pkcs11.so", "zk_pkcs11-util"} {
		put(t, filepath.Join(build, name), "ours")
	}
	put(t, filepath.Join(root, "var/lib/dpkg/status"), "Package: vendor-module\nStatus: install ok installed\n"+
		"Maintainer: nobody <nobody@localhost>\nVersion: 1\nArchitecture: all\nDescription: it has a file of the name\n\n")
	put(t, filepath.Join(root, "var/lib/dpkg/info/vendor-module.list"), "/.\n/usr\n/usr/lib\n/usr/lib/libzk_pkcs11.so\n")
	theirs, tool := filepath.Join(root, "usr/lib/libzk_pkcs11.so"), filepath.Join(root, "usr/bin/zk_pkcs11-util")
	put(t, theirs, "theirs")
	put(t, tool, "of an earlier make install")

	for _, target := range []string{"install", "uninstall"} {
		out, err := try(t, build, "DESTDIR="+root, target)
		if err == nil || !strings.Contains(out, theirs+" is of the package vendor-module") {
			t.Errorf("make %s: %v\n%s", target, err, out)
		}
		if text, err := os.ReadFile(theirs); err != nil || string(text) != "theirs" {
			t.Errorf("make %s left %q of the package's file, %v", target, text, err)
		}
	}
	if _, err := os.Stat(tool); err == nil {
		t.Error("make uninstall left the tool, which no package has")
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
