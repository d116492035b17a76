// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// fault is something that goes wrong, and how it ends.
type fault struct {
	name     string
	do, mend func(*softSCM)
}

var faults = []fault{
	{"timeouts", func(x *softSCM) { x.tool("inject", "fault", "--timeouts", strconv.Itoa(1+rand.N(20))) }, func(x *softSCM) { x.tool("inject", "fault") }},
	{"daemon restart", func(x *softSCM) { x.tool("inject", "fault", "--restart") }, func(*softSCM) {}},
	{"unbind", func(x *softSCM) { x.tool("inject", "unbind") }, func(x *softSCM) { x.tool("inject", "unbind", "--undo") }},
	{"keys lost at reboot", func(x *softSCM) { x.tool("inject", "boot") }, func(*softSCM) {}},
	{"self-destruct", (*softSCM).selfDestruct, (*softSCM).renew},
	{"full store", func(x *softSCM) { x.play("fill") }, func(x *softSCM) { x.play("empty") }},
}

// softSCM is a soft SCM that loses its keys when it starts, has room for a few, and
// destroys them all when a file of its supervised boot is wrong.
type softSCM struct {
	t    *testing.T
	home *harness.Home
	boot string // folder of supervised boot
}

const bootFile = "kernel8.img"

func newSCM(t *testing.T) *softSCM {
	t.Helper()
	x := &softSCM{t, harness.NewHome(t), t.TempDir()}
	conf := filepath.Join(x.home.Dir, "zk_pkcs11.toml")
	x.write(conf, fmt.Sprintf("[soft]\ndefects = [\"lost-keys\"]\nuser_slots = 16\nboot_dir = %q\n", x.boot))
	x.home.Set("ZK_PKCS11_CONF", conf)
	x.initialise()
	return x
}

// initialise makes the token ready for use and begins supervised boot.
func (x *softSCM) initialise() {
	x.t.Helper()
	x.home.Init()
	x.write(filepath.Join(x.boot, bootFile), "right")
	x.tool("manifest", "add", bootFile)
}

// selfDestruct has the SCM find a wrong file in production mode.
func (x *softSCM) selfDestruct() {
	x.t.Helper()
	x.write(filepath.Join(x.boot, bootFile), "wrong")
	x.tool("lock-binding", "--yes")
	x.tool("inject", "boot")
}

// renew puts a new SCM in the place of one that has destroyed its keys.
func (x *softSCM) renew() {
	x.t.Helper()
	x.tool("reset", "--yes")
	x.initialise()
}

// play has another process use the token, until it is done.
func (x *softSCM) play(role string) {
	x.t.Helper()
	start(x.t, x.home, role).end()
}

// tool runs a command of zk_pkcs11-util scm on the soft SCM itself.
func (x *softSCM) tool(args ...string) {
	x.t.Helper()
	cmd := x.home.Command(harness.Build(x.t, "zk_pkcs11-util"), append([]string{"scm", "--pin", harness.UserPIN}, args...)...)
	cmd.Env = append(cmd.Env, "ZK_PKCS11_BACKEND=soft") // also below the vendor's C API
	if out, err := cmd.CombinedOutput(); err != nil {
		x.t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

func (x *softSCM) write(path, content string) {
	x.t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		x.t.Fatal(err)
	}
}
