// SPDX-License-Identifier: Apache-2.0

// Package harness sets up what the black box tests share: the module as it was
// built, a throw-away soft SCM, and programs that run against both. The tests
// know the module by its file only.
package harness

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// PINs and label of the tokens that the tests make.
const (
	UserPIN = "12345678"
	SOPIN   = "87654321"
	Label   = "harness"
)

// Root is the project's top folder.
func Root(t testing.TB) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("no caller")
	}
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// Build returns a file of the build folder, such as "libzk_pkcs11.so". The
// environment variable ZK_PKCS11_BUILD names another folder, for example of a
// checkptr or a sanitizer build.
func Build(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("ZK_PKCS11_BUILD")
	if dir == "" {
		dir = filepath.Join(Root(t), "build")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is not there: run make first", path)
	}
	return path
}

// Module is the path of libzk_pkcs11.so.
func Module(t testing.TB) string {
	t.Helper()
	return Build(t, "libzk_pkcs11.so")
}

// Home is a folder with a soft SCM of its own and the environment that makes
// the module use it.
type Home struct {
	Dir string
	t   testing.TB
	env []string
}

// NewHome makes a folder for a soft SCM. The SCM itself is made by its first
// user. With ZK_PKCS11_BACKEND=zymbit in the environment of the tests the module
// uses it by the driver for the hardware and our own libzk_app_utils.so.
func NewHome(t testing.TB) *Home {
	t.Helper()
	h := &Home{Dir: t.TempDir(), t: t}
	h.Set("ZK_PKCS11_HOME", h.Dir)
	h.Set("ZK_PKCS11_CONF", "")
	h.env = append(h.env, Backend(VendorLibrary(t))...)
	return h
}

// Set adds a variable to the environment of the programs that Run starts.
func (h *Home) Set(name, value string) { h.env = append(h.env, name+"="+value) }

// FillMemory has the C library fill the memory that it hands out, so that code that counts on zeros in
// it, as glibc's own linker does, is found out.
func (h *Home) FillMemory() { h.Set("GLIBC_TUNABLES", "glibc.malloc.perturb=170") }

// Settings makes a file of settings that the programs read.
func (h *Home) Settings(text string) {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), "zk_pkcs11.toml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
	h.Set("ZK_PKCS11_CONF", path)
}

// Export puts the environment into this process, for tests that load the module
// themselves.
func (h *Home) Export(t *testing.T) {
	t.Helper()
	for _, kv := range h.env {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
}

// Environ is the environment of a program that uses the soft SCM.
func (h *Home) Environ() []string { return append(os.Environ(), h.env...) }

// Command prepares a program that uses the soft SCM.
func (h *Home) Command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = h.Environ()
	return cmd
}

// Run runs a program and returns what it printed; it must end well.
func (h *Home) Run(name string, args ...string) string {
	h.t.Helper()
	out, err := h.Try(name, args...)
	if err != nil {
		h.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// Try runs a program and returns what it printed on both outputs.
func (h *Home) Try(name string, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := h.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// Init makes the token of slot 0 ready for use, with both PINs, by the tool of
// administrators.
func (h *Home) Init() {
	h.t.Helper()
	h.Run(Build(h.t, "zk_pkcs11-util"), "--init-token", "--yes", "--slot", "0", "--label", Label, "--pin", UserPIN, "--so-pin", SOPIN)
}

// Need skips a test when a program is not installed, and says so.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed (see scripts/test.sh for the packages)", p)
		}
	}
}

// Vectors returns a folder or file of the published test vectors, below ZK_VECTORS or in the project.
func Vectors(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("ZK_VECTORS")
	if dir == "" {
		dir = filepath.Join(Root(t), "testdata", "vectors")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("test vectors: %v (ZK_VECTORS names their folder)", err)
	}
	return path
}

// FreePort returns a TCP port of the loopback interface on which nothing listens,
// and that no other test is given before this one ends.
func FreePort(t testing.TB) int {
	t.Helper()
	port, err := freePort(t)
	if err != nil {
		t.Fatal(fmt.Errorf("no free port: %w", err))
	}
	return port
}
