// SPDX-License-Identifier: Apache-2.0

package sharing_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// left makes a token with a key pair and a private object, by a process that is killed, so
// that some of it is in the logs of the files only.
func left(t *testing.T, p *program) *harness.Home {
	t.Helper()
	home := newToken(t)
	c, err := p.user(home)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"pair kept", "create kept value 1"} {
		if _, err := c.do(command); err != nil {
			t.Fatal(err)
		}
	}
	c.kill()
	return home
}

// use has a new process use the key, as far as it gets.
func (p *program) use(t *testing.T, home *harness.Home) (commands []string, rv pkcs11.Error, log string) {
	t.Helper()
	c, err := p.start(home)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"initialize", "open", "login " + harness.UserPIN, "prove kept", "look data kept"} {
		a, err := c.ask(command)
		if err != nil {
			t.Fatalf("%v\n%s", err, c.stderr.String())
		}
		commands = append(commands, strings.Fields(command)[0])
		if rv = a.rv; rv != pkcs11.CKR_OK {
			break
		}
	}
	if err := c.end(); err != nil {
		t.Fatal(err)
	}
	return commands, rv, c.stderr.String()
}

// harms are what happens to a file, with the same file of another token.
var harms = []struct {
	name string
	do   func(path, other string) error
}{
	{"deleted", func(path, _ string) error { return os.Remove(path) }},
	{"emptied", func(path, _ string) error { return os.Truncate(path, 0) }},
	{"exchanged", func(path, other string) error { return replace(path, other) }},
}

func replace(path, other string) error {
	content, err := os.ReadFile(other)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestFilesLostAndFound has each file of a token that was left in the middle of its life
// deleted, emptied, and exchanged for that of another token: the next process uses it, or
// says what to do in one line, and makes nothing in place of what is lost. With the file
// back everything is as before.
func TestFilesLostAndFound(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	p := build(t)
	mine, other := left(t, p), left(t, p)
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "mine"), os.DirFS(mine.Dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range files(t, mine.Dir) {
		for _, harm := range harms {
			t.Run(name+" "+harm.name, func(t *testing.T) {
				t.Parallel()
				home := harness.NewHome(t)
				if err := os.CopyFS(home.Dir, os.DirFS(filepath.Join(dir, "mine"))); err != nil {
					t.Fatal(err)
				}
				lose(t, p, home, filepath.Join(other.Dir, name), name, harm.do)
				if err := replace(filepath.Join(home.Dir, name), filepath.Join(dir, "mine", name)); err != nil {
					t.Fatal(err)
				}
				if commands, rv, log := p.use(t, home); rv != pkcs11.CKR_OK {
					t.Errorf("put back: %s: %v\n%s", commands, rv, log)
				}
			})
		}
	}
}

func lose(t *testing.T, p *program, home *harness.Home, other, name string, harm func(path, other string) error) {
	t.Helper()
	if err := harm(filepath.Join(home.Dir, name), other); err != nil {
		t.Fatal(err)
	}
	before := files(t, home.Dir)
	commands, rv, log := p.use(t, home)
	if rv == pkcs11.CKR_SIGNATURE_INVALID || rv == pkcs11.CKR_TOKEN_NOT_PRESENT {
		t.Errorf("%s: %v\n%s", commands, rv, log)
	}
	if name != "flash.db" && name != "token.db" {
		return
	}
	if rv != pkcs11.CKR_DEVICE_ERROR || len(commands) != 2 || strings.Count(log, "error") != 1 {
		t.Errorf("%s: %v, want CKR_DEVICE_ERROR of C_OpenSession and one line\n%s", commands, rv, log)
	}
	if after := files(t, home.Dir); !slices.Equal(after, before) {
		t.Errorf("there was %q, now there is %q", before, after)
	}
}
