// SPDX-License-Identifier: Apache-2.0

//go:build !race

package sharedfile_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestDirectoryRestored: a backup that takes the place of the directory is what everybody
// uses from then on.
func TestDirectoryRestored(t *testing.T) {
	for name, how := range map[string]string{
		"renamed":   `mv "$0" "$0.old" && cp -a "$0.backup" "$0"`,
		"removed":   `rm -r "$0" && cp -a "$0.backup" "$0"`,
		"linked":    `mv "$0" "$0.old" && ln -s "$0.backup" "$0"`,
		"exchanged": `mv "$0" "$0.old" && mv "$0.backup" "$0"`,
	} {
		t.Run(name, func(t *testing.T) { checkDirectoryRestored(t, how) })
	}
}

func checkDirectoryRestored(t *testing.T, how string) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "f")
	f := open(t, path)
	mustIncrement(t, f)
	run(t, `cp -a "$0" "$0.backup"`, dir)
	mustIncrement(t, f)
	run(t, how, dir)
	mustIncrement(t, f)
	if n := mustCount(t, f); n != 2 {
		t.Errorf("counter is %d, want 2: that of the backup, and one", n)
	}
	if n := mustCount(t, open(t, path)); n != 2 {
		t.Errorf("counter is %d for one that opens it now, want 2", n)
	}
}

// TestDirectoryRenamed: a directory that is renamed, and nothing put in its place, goes on.
func TestDirectoryRenamed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f := open(t, filepath.Join(dir, "f"))
	mustIncrement(t, f)
	for _, how := range []string{`mv "$0" "$0.old"`, `mkdir "$0"`, `mkdir "$0/f"`} {
		run(t, how, dir)
		mustIncrement(t, f)
	}
	if n := mustCount(t, open(t, dir+".old/f")); n != 4 {
		t.Errorf("counter is %d, want 4", n)
	}
}

func run(t *testing.T, script, dir string) {
	t.Helper()
	if out, err := exec.Command("sh", "-c", script, dir).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}
