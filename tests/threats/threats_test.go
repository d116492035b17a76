// SPDX-License-Identifier: Apache-2.0

// Package threats does what docs/threats.md says that somebody may try, where no other
// test does.
package threats

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/harness/live"
)

// The users that the tests are, by number: no such users have to exist.
const (
	owner    = 60001
	stranger = 60002
)

// place is a folder that other users may enter, with the built files and a state directory of owner in it.
type place struct {
	t                   *testing.T
	module, tool, state string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be two users")
	}
	dir, err := os.MkdirTemp("", "threats")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &place{t: t, state: filepath.Join(dir, "state")}
	p.module = p.copyOf(dir, "libzk_pkcs11.so")
	p.tool = p.copyOf(dir, "zk_pkcs11-util")
	if err := os.Mkdir(p.state, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]fs.FileMode{dir: 0o755, p.state: 0o700} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(p.state, owner, owner); err != nil {
		t.Fatal(err)
	}
	return p
}

// copyOf copies a built file to where every user can read it.
func (p *place) copyOf(dir, name string) string {
	p.t.Helper()
	b, err := os.ReadFile(harness.Build(p.t, name))
	if err != nil {
		p.t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b, 0o755); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// as runs a program as a user and returns what it printed.
func (p *place) as(user uint32, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/", "ZK_PKCS11_CONF=", "ZK_PKCS11_BACKEND=soft", "ZK_PKCS11_HOME=" + p.state}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user, NoSetGroups: true}}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// contents are the files of the state directory.
func (p *place) contents() map[string]string {
	p.t.Helper()
	all := make(map[string]string)
	for path, b := range files(p.t, p.state) {
		all[path] = string(b)
	}
	return all
}

// files are those below a directory.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		all[path] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestAnotherUser: a user who may not enter the state directory sees no token, no name and no
// key, and changes nothing.
func TestAnotherUser(t *testing.T) {
	harness.Need(t, "pkcs11-tool")
	p := newPlace(t)
	if out, err := p.as(owner, p.tool, "--init-token", "--slot", "0", "--label", "of the owner", "--pin", harness.UserPIN, "--so-pin", harness.SOPIN); err != nil {
		t.Fatalf("the owner: %v\n%s", err, out)
	}
	list := []string{"--module", p.module, "--list-token-slots", "--list-objects"}
	if out, err := p.as(owner, "pkcs11-tool", list...); err != nil || !strings.Contains(out, "SCM slot 0") {
		t.Fatalf("the owner does not see the keys: %v\n%s", err, out)
	}
	before := p.contents()
	for _, args := range [][]string{
		list,
		{"--module", p.module, "--login", "--pin", harness.UserPIN, "--list-objects"},
		{"--module", p.module, "--init-token", "--slot", "0", "--label", "of a stranger", "--so-pin", harness.SOPIN},
	} {
		out, err := p.as(stranger, "pkcs11-tool", args...)
		if strings.Contains(out, "of the owner") || strings.Contains(out, "SCM slot") {
			t.Errorf("pkcs11-tool %v shows another user's token (%v):\n%s", args, err, out)
		}
	}
	after := p.contents()
	if len(after) != len(before) {
		t.Errorf("%d files, %d before a stranger came", len(after), len(before))
	}
	for path, b := range before {
		if after[path] != b {
			t.Errorf("a stranger changed %s", filepath.Base(path))
		}
	}
}

// TestCopiedFiles: private objects and PINs are in no file, in no spelling.
func TestCopiedFiles(t *testing.T) {
	home := harness.NewHome(t)
	home.Init()
	k := live.Load(t, home)
	s := k.User()
	var secrets [][]byte
	for _, class := range []uint{pkcs11.CKO_DATA, pkcs11.CKO_SECRET_KEY} {
		label, value := []byte("name "+rand.Text()), make([]byte, 32)
		_, _ = rand.Read(value)
		template := []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
			pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
			pkcs11.NewAttribute(pkcs11.CKA_VALUE, value),
		}
		if class == pkcs11.CKO_SECRET_KEY {
			template = append(template, pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET))
		}
		_, err := k.CreateObject(s, template)
		k.OK(err)
		secrets = append(secrets, label, value)
	}
	secrets = append(secrets, []byte(harness.UserPIN), []byte(harness.SOPIN))
	for path, b := range files(t, home.Dir) {
		for _, secret := range secrets {
			for _, form := range [][]byte{secret, []byte(hex.EncodeToString(secret)), []byte(base64.StdEncoding.EncodeToString(secret))} {
				if bytes.Contains(b, form) {
					t.Errorf("%s holds a secret (%q)", filepath.Base(path), form)
				}
			}
		}
	}
}
