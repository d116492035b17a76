// SPDX-License-Identifier: Apache-2.0

package backup_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestModesAndOwners are those of the token that was backed up.
func TestModesAndOwners(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	x := newTool(t)
	dir := x.home.Dir
	for _, err := range []error{os.Chmod(filepath.Join(dir, "token.db"), 0o640), os.Chmod(dir, 0o750)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(filepath.Join(dir, "flash.db"), 0, 12); err != nil {
			t.Fatal(err)
		}
	}
	file := x.backUp()
	for _, gone := range []string{dir, filepath.Join(dir, "none")} { // over the token, and where there is none
		x.home.Set("ZK_PKCS11_HOME", gone)
		x.restore(file)
		for name, want := range map[string]string{"": "750", "token.db": "640", "token.pins": "600", "flash.db": "600"} {
			info, err := os.Stat(filepath.Join(gone, name))
			if err != nil || fmt.Sprintf("%o", info.Mode().Perm()) != want {
				t.Errorf("%s: %v, %v, want %s", name, info.Mode(), err, want)
			}
			if name == "flash.db" && os.Geteuid() == 0 && info.Sys().(*syscall.Stat_t).Gid != 12 {
				t.Error("flash.db has lost its group")
			}
		}
	}
}

// TestRestoreMakesAll: logs and locks of the token and its SCM are there at once, and belong to the owner of the token, not to
// the first process that uses it.
func TestRestoreMakesAll(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	if os.Geteuid() != 0 {
		t.Skip("a token of another user takes root")
	}
	x := newTool(t)
	x.home.Run("chown", "-R", "5001:5001", x.home.Dir)
	file := x.backUp()
	x.restore(file)
	for _, database := range []string{"token.db", "flash.db"} {
		for _, suffix := range []string{"", "-wal", "-shm", ".gen", ".lock", ".room", ".write"} {
			info, err := os.Stat(filepath.Join(x.home.Dir, database+suffix))
			if err != nil || info.Sys().(*syscall.Stat_t).Uid != 5001 || info.Sys().(*syscall.Stat_t).Gid != 5001 {
				t.Errorf("%s%s: %+v, %v", database, suffix, info, err)
			}
		}
	}
}

// newGroupTool is the tool with a token that the group 5995 shares.
func newGroupTool(t *testing.T) *tool {
	t.Helper()
	harness.SoftOnly(t, harness.NoSeal)
	if os.Geteuid() != 0 || exec.Command("unshare", "-m", "true").Run() != nil {
		t.Skip("groups of another machine take root, and unshare")
	}
	x := newTool(t)
	x.home.Run("sh", "-ec", `chgrp -R 5995 "$0"; chmod 2770 "$0"; chmod 660 "$0"/*`, x.home.Dir)
	return x
}

// TestOwnersByName: a token goes to the group that has the name of the backup, whatever its number is, and to no other group that
// has this number.
func TestOwnersByName(t *testing.T) {
	x := newGroupTool(t)
	file := filepath.Join(t.TempDir(), "backup")
	x.withGroups("keepers:x:5995:", "token", "backup", file)
	for groups, want := range map[string]string{
		"keepers:x:5995:":                        "5995 ",
		"keepers:x:5996:\nstrangers:x:5995:":     "5996 ",
		"strangers:x:5995:":                      "0 Warning: there is no group keepers here, and its number in the backup, 5995, is that of strangers",
		"others:x:5996:":                         "5995 Warning: there is no group keepers here: what was restored has its number",
		"keepers:x:5997:\nothers:x:5996:members": "5997 ",
	} {
		os.RemoveAll(x.home.Dir)
		told := x.withGroups(groups, "token", "restore", file)
		gid, warning, _ := strings.Cut(want, " ")
		for _, name := range []string{"", "token.db", "flash.db", "flash.db-wal"} {
			info, err := os.Stat(filepath.Join(x.home.Dir, name))
			if err != nil || fmt.Sprint(info.Sys().(*syscall.Stat_t).Gid) != gid {
				t.Errorf("%q: %q is %+v, %v", groups, name, info, err)
			}
		}
		if !strings.Contains(told, warning) || warning == "" && strings.Contains(told, "Warning") {
			t.Errorf("%q: %s", groups, told)
		}
	}
}

// TestOwnersWithoutNames: the numbers of a backup that has no names are those of nobody else here. Where a token is there, its users keep it.
func TestOwnersWithoutNames(t *testing.T) {
	x := newGroupTool(t)
	file := filepath.Join(t.TempDir(), "backup")
	x.withGroups("", "token", "backup", file)
	for _, test := range []struct{ there, groups, want, warning string }{
		{"", "strangers:x:5995:", "0", "the backup has the group 5995 without a name, and here that is strangers, which does not get the keys: what was restored is that of the group root"},
		{"5996", "strangers:x:5995:\nkeepers:x:5996:", "5996", "what was restored is that of the group keepers"},
		{"5995", "keepers:x:5995:", "5995", ""},
		{"", "keepers:x:5996:", "5995", "which has no name in the backup and none here"},
	} {
		os.RemoveAll(x.home.Dir)
		if test.there != "" {
			x.home.Run("install", "-d", "-m", "2770", "-g", test.there, x.home.Dir)
		}
		told := x.withGroups(test.groups, "token", "restore", file)
		for _, name := range []string{"", "token.db", "flash.db", "flash.db-wal"} {
			info, err := os.Stat(filepath.Join(x.home.Dir, name))
			if err != nil || fmt.Sprint(info.Sys().(*syscall.Stat_t).Gid) != test.want {
				t.Errorf("%q: %q is %+v, %v", test.groups, name, info, err)
			}
		}
		if !strings.Contains(strings.Join(strings.Fields(told), " "), test.warning) || test.warning == "" && strings.Contains(told, "Warning") {
			t.Errorf("%q: %s", test.groups, told)
		}
	}
}

// withGroups runs the tool on a machine that has root and these groups.
func (x *tool) withGroups(groups string, args ...string) string {
	x.t.Helper()
	file := filepath.Join(x.t.TempDir(), "group")
	if err := os.WriteFile(file, []byte("root:x:0:\n"+groups+"\n"), 0o644); err != nil {
		x.t.Fatal(err)
	}
	script := `mount --bind "$0" /etc/group; exec "$@" --pin ` + harness.UserPIN
	return x.home.Run("unshare", append([]string{"-m", "sh", "-ec", script, file, harness.Build(x.t, "zk_pkcs11-util")}, args...)...)
}
