// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// sandbox is a folder that stands for the root of a machine on which the module
// is installed and has not been used, and the home of the user who works there.
type sandbox struct {
	t    testing.TB
	root string
	cred *syscall.Credential // nil: the user who runs the tests
	env  []string            // more variables
}

// newSandbox makes a sandbox. p11-kit reads no configuration of its user for
// root, and most guides are for others than root; so where the tests run as root,
// nobody is the user.
func newSandbox(t testing.TB) *sandbox {
	t.Helper()
	s := newRootSandbox(t)
	if os.Geteuid() == 0 {
		s.cred = credential(t, "nobody")
		s.give(s.home())
	}
	if harness.OverVendor() {
		s.share()
	} else {
		s.configure("") // the state is where it is by default, below the home directory
	}
	return s
}

// share makes the state directory of the system for the group of the user, as an administrator
// does: that of the hardware is there no matter who uses it.
func (s *sandbox) share() {
	s.t.Helper()
	if s.cred == nil {
		return
	}
	group, err := user.LookupGroupId(strconv.Itoa(int(s.cred.Gid)))
	s.check(err)
	s.configure(fmt.Sprintf("state = %q\nstate_group = %q\n", s.state(), group.Name))
	s.check(os.Mkdir(s.state(), 0o700))
	s.check(os.Chown(s.state(), 0, int(s.cred.Gid)))
	s.check(os.Chmod(s.state(), 0o770|os.ModeSetgid))
}

// newRootSandbox makes a sandbox for the user who runs the tests. Other users
// can go through its folders, which they could not in those of t.TempDir.
func newRootSandbox(t testing.TB) *sandbox {
	t.Helper()
	root, err := os.MkdirTemp("", "zk-sandbox-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	s := &sandbox{t: t, root: root}
	s.check(os.Chmod(root, 0o755))
	s.check(os.Mkdir(s.home(), 0o755))
	s.check(os.MkdirAll(filepath.Join(root, "var/lib"), 0o755))
	s.configure(fmt.Sprintf("state = %q\n", s.state()))
	s.install("libzk_pkcs11.so", s.module())
	s.install("zk_pkcs11-util", s.util())
	library := ""
	if harness.OverVendor() {
		library = filepath.Join(root, "usr/lib/libzk_app_utils.so")
		s.install("libzk_app_utils.so", library)
	}
	s.env = harness.Backend(library)
	return s
}

func (s *sandbox) home() string   { return filepath.Join(s.root, "home") }
func (s *sandbox) state() string  { return filepath.Join(s.root, "var/lib/zk_pkcs11") }
func (s *sandbox) util() string   { return filepath.Join(s.root, "usr/bin/zk_pkcs11-util") }
func (s *sandbox) module() string { return filepath.Join(s.root, "usr/lib/libzk_pkcs11.so") }

func (s *sandbox) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// install copies a program by another process: one that this process had open
// for writing could not be run while a child of another test still has it open.
func (s *sandbox) install(built, path string) {
	s.t.Helper()
	out, err := exec.Command("install", "-D", "-m", "0755", harness.Build(s.t, built), path).CombinedOutput()
	if err != nil {
		s.t.Fatalf("install %s: %v\n%s", path, err, out)
	}
}

// give makes the user of the sandbox the owner of a file.
func (s *sandbox) give(path string) {
	s.t.Helper()
	if s.cred != nil {
		s.check(os.Chown(path, int(s.cred.Uid), int(s.cred.Gid)))
	}
}

// command prepares a program for the user of the sandbox, in the home directory.
// Settings of the machine do not reach it.
func (s *sandbox) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.home()
	cmd.Env = append([]string{
		"HOME=" + s.home(), "PATH=" + filepath.Join(s.root, "usr/bin") + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
		"LC_ALL=C.UTF-8", "ZK_PKCS11_CONF=" + s.config(),
	}, s.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.cred}
	return cmd
}

// config is the configuration file of the sandbox.
func (s *sandbox) config() string { return filepath.Join(s.root, "etc/zk_pkcs11/zk_pkcs11.toml") }

// configure writes the configuration file.
func (s *sandbox) configure(text string) {
	s.t.Helper()
	s.check(os.MkdirAll(filepath.Dir(s.config()), 0o755))
	s.check(os.WriteFile(s.config(), []byte(text), 0o644))
}

// run runs a program for the user of the sandbox; it must end well.
func (s *sandbox) run(name string, args ...string) string {
	s.t.Helper()
	out, err := s.command(name, args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func credential(t testing.TB, name string) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Skipf("the tests run as root and need the user %s: %v", name, err)
	}
	return &syscall.Credential{Uid: number(t, u.Uid), Gid: number(t, u.Gid)}
}

func number(t testing.TB, text string) uint32 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}
