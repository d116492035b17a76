// SPDX-License-Identifier: Apache-2.0

package apputils_test

import (
	"os"
	"path/filepath"
	"testing"
)

// TestForkedChildrenKeepTheSettings takes from forked children, one after the other,
// what leads to the settings: nginx takes the variables from its workers, daemons
// change to another directory, and some to another root.
func TestForkedChildrenKeepTheSettings(t *testing.T) {
	program := compile(t, "testdata/losses.c")
	for _, loss := range []string{"nothing", "environment", "directory", "file", "root"} {
		t.Run(loss, func(t *testing.T) {
			t.Parallel()
			if loss == "root" && os.Geteuid() != 0 {
				t.Skip("only root may change its root directory")
			}
			home := newHomeWith(t, otherwise)
			root := t.TempDir()
			home.Set("ZK_TEST_ROOT", root)
			if loss == "root" {
				home.FillMemory()
				moveInto(t, root, home.Dir)
			}
			home.Set("ZK_PKCS11_HOME", filepath.Base(home.Dir))
			cmd := home.Command(program, loss)
			cmd.Dir = filepath.Dir(home.Dir)
			if out, err := cmd.CombinedOutput(); err != nil || len(out) != 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// moveInto moves a folder to the same path below another root directory, and leaves
// a link.
func moveInto(t *testing.T, root, dir string) {
	t.Helper()
	inside := root + dir
	for _, err := range []error{
		os.MkdirAll(filepath.Dir(inside), 0o755), os.Rename(dir, inside), os.Symlink(inside, dir),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}
