// SPDX-License-Identifier: Apache-2.0

package statefiles

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"
	"golang.org/x/sys/unix"

	"libzk_pkcs11/tests/harness"
)

const stranger = 54321 // a user and a group

// traps are what others may put in the place of a file of a state directory, to have a
// process of root read or write another file, or wait for ever.
var traps = map[string]func(path, victim string) error{
	"link":            func(path, victim string) error { return os.Symlink(victim, path) },
	"link to nothing": func(path, victim string) error { return os.Symlink(victim+".missing", path) },
	"hard link":       func(path, victim string) error { return os.Link(victim, path) },
	"pipe":            func(path, _ string) error { return unix.Mkfifo(path, 0o660) },
	"directory":       func(path, _ string) error { return os.Mkdir(path, 0o770) },
	"file of another one": func(path, _ string) error {
		return errors.Join(os.WriteFile(path, nil, 0o660), os.Chown(path, stranger, stranger))
	},
	"socket": func(path, _ string) error {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	},
}

// TestTraps sets each trap at each name that a state directory can have. No process opens
// it, hangs, or changes what it leads to; and one that cannot go on without the file says in one
// line which it is and what to do.
func TestTraps(t *testing.T) {
	harness.SoftOnly(t, "the files are those of the soft SCM")
	home := harness.NewHome(t)
	home.Init()
	p := start(t, home)
	p.must(t, "begin")
	p.kill()
	gold := t.TempDir()
	if err := copyAll(gold, home.Dir); err != nil {
		t.Fatal(err)
	}
	names, err := files(gold)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "flash.db-journal", "token.db-journal", "root.key", "root.key.new", "token.pins.new", "pins.db", "pins.db.lock") {
		for kind, set := range traps {
			if os.Geteuid() != 0 && kind == "file of another one" {
				continue // only root gives files away
			}
			if err := copyAll(home.Dir, gold); err != nil {
				t.Fatal(err)
			}
			if err := meetTrap(t, home, name, set); err != nil {
				t.Errorf("%s at %s: %v", kind, name, err)
			}
		}
	}
}

func meetTrap(t *testing.T, home *harness.Home, name string, set func(path, victim string) error) error {
	const precious = "a file of root that holds more than thirty-two bytes"
	victim := filepath.Join(t.TempDir(), "victim")
	path := filepath.Join(home.Dir, name)
	if err := errors.Join(os.WriteFile(victim, []byte(precious), 0o600), os.RemoveAll(path), set(path, victim)); err != nil {
		return err
	}
	p := start(t, home)
	defer p.kill()
	a, err := p.ask("begin")
	if err != nil {
		return err
	}
	for _, command := range []string{"sign", "create new", "end"} {
		if _, err := p.ask(command); err != nil {
			return err
		}
	}
	if err := p.end(); err != nil {
		return fmt.Errorf("%w\n%s", err, p.stderr.String())
	}
	if a.Code != pkcs11.CKR_OK && strings.Count(p.stderr.String(), path) != 1 {
		err = fmt.Errorf("%w, which no line or more than one explains:\n%s", a.Code, p.stderr.String())
	}
	if b, failed := os.ReadFile(victim); failed != nil || string(b) != precious {
		err = errors.Join(err, fmt.Errorf("the victim holds %q, %w", b, failed))
	}
	if _, failed := os.Lstat(victim + ".missing"); failed == nil {
		err = errors.Join(err, errors.New("what the link leads to was made"))
	}
	return err
}

// TestLinkedDirectory: how the directory is reached is the administrator's.
func TestLinkedDirectory(t *testing.T) {
	harness.SoftOnly(t, "the files are those of the soft SCM")
	home := harness.NewHome(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(home.Dir, link); err != nil {
		t.Fatal(err)
	}
	home.Set("ZK_PKCS11_HOME", link)
	home.Init()
	p := start(t, home)
	for _, command := range []string{"begin", "sign", "create one", "end"} {
		p.must(t, command)
	}
}
