// SPDX-License-Identifier: Apache-2.0

package descriptor_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

const stranger = 54321 // a user and a group

func openDirectory(t *testing.T, path string) *descriptor.Directory {
	t.Helper()
	d, err := descriptor.OpenDirectory(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// traps put something at a path that is to be refused; victim is a file elsewhere.
var traps = map[string]func(path, victim string) error{
	"a link":            func(path, victim string) error { return os.Symlink(victim, path) },
	"a link to nothing": func(path, victim string) error { return os.Symlink(victim+".missing", path) },
	"a hard link":       func(path, victim string) error { return os.Link(victim, path) },
	"a pipe":            func(path, _ string) error { return unix.Mkfifo(path, 0o600) },
	"a directory":       func(path, _ string) error { return os.Mkdir(path, 0o700) },
	"a file of a stranger": func(path, _ string) error {
		return errors.Join(os.WriteFile(path, nil, 0o600), os.Chown(path, stranger, stranger))
	},
	"a socket": func(path, _ string) error {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	},
}

func TestRefused(t *testing.T) {
	for name, set := range traps {
		t.Run(name, func(t *testing.T) {
			if os.Geteuid() != 0 && name == "a file of a stranger" {
				t.Skip("only root gives files away")
			}
			d := openDirectory(t, t.TempDir())
			victim := filepath.Join(t.TempDir(), "victim")
			if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := set(d.Path("f"), victim); err != nil {
				t.Fatal(err)
			}
			for _, flags := range []int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR | os.O_CREATE | os.O_TRUNC} {
				if _, err := d.Open("f", flags, 0o666); !errors.Is(err, descriptor.ErrRefused) {
					t.Errorf("flags %x: %v", flags, err)
				}
			}
			if err := d.Check("f"); !errors.Is(err, descriptor.ErrRefused) {
				t.Errorf("Check: %v", err)
			}
			if b, err := os.ReadFile(victim); string(b) != "precious" {
				t.Errorf("the victim holds %q, %v", b, err)
			}
			if d.Exists("victim.missing") {
				t.Error("what the link leads to was made")
			}
		})
	}
}

// TestTrusted: files of those who may write into the directory are opened.
func TestTrusted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	for _, test := range []struct {
		name                 string
		owner, group         int // of the directory
		mode                 fs.FileMode
		fileOwner, fileGroup int
		opened               bool
	}{
		{"root's file of another's directory", stranger, stranger, 0o700, 0, 0, true},
		{"the file of the directory's owner", stranger, stranger, 0o700, stranger, 0, true},
		{"a member's file", 0, stranger, 0o2770, stranger + 1, stranger, true},
		{"a file of no member", 0, stranger, 0o2770, stranger + 1, stranger + 1, false},
		{"a file of a group that may not write", 0, stranger, 0o750, stranger + 1, stranger, false},
	} {
		path := t.TempDir()
		if err := errors.Join(os.Chown(path, test.owner, test.group), unix.Chmod(path, uint32(test.mode))); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(path, "f")
		if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Chown(file, test.fileOwner, test.fileGroup)); err != nil {
			t.Fatal(err)
		}
		f, err := openDirectory(t, path).Open("f", os.O_RDWR, 0)
		if opened := err == nil; opened != test.opened {
			t.Errorf("%s: %v", test.name, err)
		}
		f.Close()
	}
}

// TestDirectoryOfALink: how a directory is reached is the administrator's.
func TestDirectoryOfALink(t *testing.T) {
	path := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	d := openDirectory(t, link)
	f, err := d.Open("f", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stat, err := d.Stat("f")
	if err != nil || !f.Is(&stat) {
		t.Errorf("it is another file, %v", err)
	}
	if _, err := os.Stat(filepath.Join(path, "f")); err != nil {
		t.Error(err)
	}
}

func TestLeads(t *testing.T) {
	d := openDirectory(t, t.TempDir())
	f, err := d.Open("f", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	check := func(want bool) {
		t.Helper()
		if leads, err := d.Leads("f", f); err != nil || leads != want {
			t.Errorf("leads: %v, %v", leads, err)
		}
	}
	check(true)
	if err := d.Rename("f", "g"); err != nil {
		t.Fatal(err)
	}
	check(false)
	g, err := d.Open("f", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	check(false)
	if err := errors.Join(d.Remove("g"), d.Sync()); err != nil {
		t.Error(err)
	}
	if d.Exists("g") || !d.Exists("f") {
		t.Error("the other name was removed")
	}
}
