// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// roles say what to do with the module, before C_Initialize, and return what to
// print.
var roles = map[string]func(*pkcs11.Ctx) (string, error){
	"begin":    beginOnly,
	"create":   createObject,
	"generate": generateKey,
	"look":     lookAround,
	"slots":    countSlots,
}

func TestMain(m *testing.M) {
	played := map[string]func(string) error{}
	for name, role := range roles {
		played[name] = func(module string) error {
			out, err := role(pkcs11.New(module))
			if err == nil {
				fmt.Println(out)
			}
			return err
		}
	}
	harness.Play(m, played)
}

// actor is a process that plays a role.
type actor struct {
	cmd         *exec.Cmd
	out, stderr bytes.Buffer
}

func newActor(t *testing.T, home *harness.Home, role string) *actor {
	t.Helper()
	a := &actor{cmd: home.Role(role)}
	a.cmd.Stdout, a.cmd.Stderr = &a.out, &a.stderr
	return a
}

// play returns what the actor printed on both outputs. It must end well.
func (a *actor) play(t *testing.T) (out, stderr string) {
	t.Helper()
	if err := a.cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, a.out.String(), a.stderr.String())
	}
	return strings.TrimSpace(a.out.String()), a.stderr.String()
}

// asNobody has the actor run without root's privileges, from copies of program
// and libraries that nobody can read: the project may be where he must not look.
func (a *actor) asNobody(t *testing.T) {
	t.Helper()
	const nobody = 65534
	dir := readable(t)
	a.cmd.Path = clone(t, a.cmd.Path, dir+"/program")
	a.cmd.Env = append(a.cmd.Env, harness.ModuleVariable+"="+clone(t, harness.Module(t), dir+"/module.so"))
	if library := harness.VendorLibrary(t); library != "" {
		a.cmd.Env = append(a.cmd.Env, "ZK_APP_UTILS_LIB="+clone(t, library, dir+"/libzk_app_utils.so"))
	}
	a.cmd.Dir = dir
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

// readable is a folder that everybody can look into, and the test's other
// folders with it.
func readable(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func clone(t *testing.T, from, to string) string {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}
