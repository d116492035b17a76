// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/store"
)

// member is a user who is in the group of a state directory, 5995.
const member, membersGroup = 5001, 5995

// replacementOf is one for a slot in a directory that a group shares, with a file in it, and a directory of root
// beside it with a file that is nobody else's.
func replacementOf(t *testing.T) (r *Replacement, precious string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the directory is one in which another user writes: it takes root")
	}
	top := t.TempDir()
	state := filepath.Join(top, "second")
	precious = filepath.Join(top, "precious")
	for _, err := range []error{
		os.Mkdir(state, 0o700), os.Mkdir(precious, 0o700), os.WriteFile(filepath.Join(precious, "shadow"), []byte("secret"), 0o600),
		os.Chown(state, 0, membersGroup), os.Chmod(state, 0o770|fs.ModeSetgid), os.Chown(top, 0, membersGroup), os.Chmod(top, 0o770|fs.ModeSetgid),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r, err := NewReplacement(config.Config{State: config.SystemState, Slots: []config.Slot{{State: state, Shared: state}}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Discard() })
	if err := r.Write(store.DatabaseFile, []byte("token"), ofMembers(0o660)); err != nil {
		t.Fatal(err)
	}
	return r, precious
}

func ofMembers(mode fs.FileMode) Owner { return Owner{Mode: mode, UID: member, GID: membersGroup} }

// ownersBelow are the owners and modes of a directory and what is in it.
func ownersBelow(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	for _, path := range []string{dir, filepath.Join(dir, "shadow")} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		stat := info.Sys().(*syscall.Stat_t)
		fmt.Fprintln(&b, filepath.Base(path), info.Mode(), stat.Uid, stat.Gid)
	}
	return b.String()
}

// TestNewDirectoryIsClosed: while a PIN is asked for nobody but the owner of the new directory writes in it.
func TestNewDirectoryIsClosed(t *testing.T) {
	r, _ := replacementOf(t)
	info, err := os.Stat(r.Directory())
	if err != nil || info.Mode().Perm() != 0o700 || int(info.Sys().(*syscall.Stat_t).Gid) != membersGroup {
		t.Errorf("%+v, %v", info.Mode(), err)
	}
}

// TestSwapFollowsNothing: members have put something else in the place of the new directory, or into it, which root does not give them.
func TestSwapFollowsNothing(t *testing.T) {
	for name, put := range map[string]func(dir, precious string) error{
		"a link in place of the directory": func(dir, precious string) error {
			return errors.Join(os.Rename(dir, dir+".x"), os.Symlink(precious, dir))
		},
		"a directory in place of the directory": func(dir, precious string) error {
			return errors.Join(os.Rename(dir, dir+".x"), os.Mkdir(dir, 0o700), os.Link(filepath.Join(precious, "shadow"), filepath.Join(dir, "x")))
		},
		"a link in the directory": func(dir, precious string) error {
			return os.Symlink(filepath.Join(precious, "shadow"), filepath.Join(dir, "x"))
		},
		"a second name in the directory": func(dir, precious string) error {
			return os.Link(filepath.Join(precious, "shadow"), filepath.Join(dir, "x"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, precious := replacementOf(t)
			if err := put(r.Directory(), precious); err != nil {
				t.Fatal(err)
			}
			before := ownersBelow(t, precious)
			if _, err := r.Swap(ofMembers(0o770 | fs.ModeSetgid)); err == nil {
				t.Error("it has taken the place")
			}
			if after := ownersBelow(t, precious); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
			if content, err := os.ReadFile(filepath.Join(precious, "shadow")); string(content) != "secret" {
				t.Errorf("%q, %v", content, err)
			}
			if _, err := os.Stat(filepath.Join(r.state, store.DatabaseFile)); err == nil {
				t.Error("the state directory has another token")
			}
		})
	}
}

// TestSwapGives: what was written gets its owner, and the directory, at last.
func TestSwapGives(t *testing.T) {
	r, _ := replacementOf(t)
	if err := os.WriteFile(filepath.Join(r.state, "others"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Swap(ofMembers(0o770 | fs.ModeSetgid)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Owner{"": ofMembers(0o770 | fs.ModeSetgid), store.DatabaseFile: ofMembers(0o660), "others": {Mode: 0o600, GID: membersGroup}} {
		got, err := OwnerOf(filepath.Join(r.state, name))
		if err != nil || got.Mode != want.Mode || got.UID != want.UID || got.GID != want.GID {
			t.Errorf("%q: %+v, %v, want %+v", name, got, err, want)
		}
	}
}
