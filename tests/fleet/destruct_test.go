// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"libzk_pkcs11/tests/harness"
)

// bootFile is a file of supervised boot.
const bootFile = "kernel8.img"

// supervise makes an SCM that destroys its keys when a file of its supervised boot is wrong in production mode.
func (f *fleet) supervise() {
	f.t.Helper()
	f.scm.write("zk_pkcs11.toml", fmt.Sprintf("[soft]\nboot_dir = %q\n", f.scm.folder)+f.soft)
	f.home.Set("ZK_PKCS11_CONF", f.settings())
	f.home.Init()
	f.scm.write(bootFile, "right")
	f.tool("scm", "manifest", "add", bootFile)
}

func (f *fleet) settings() string { return filepath.Join(f.scm.folder, "zk_pkcs11.toml") }

// tool runs the tool of administrators where the SCM is.
func (f *fleet) tool(words ...string) {
	f.t.Helper()
	f.home.Run(harness.Build(f.t, "zk_pkcs11-util"), append(words, "--pin", harness.UserPIN)...)
}

// selfDestruct has the SCM destroy its keys, and puts a new one in its place: no client gets a handshake any more that is by the
// key of the certificate, and none accepts another.
func (f *fleet) selfDestruct() {
	f.t.Helper()
	f.scm.write(bootFile, "wrong")
	f.tool("scm", "lock-binding", "--yes")
	f.tool("scm", "inject", "boot")
	f.noneAnswers("the SCM has destroyed itself")
	f.tool("scm", "reset", "--yes")
	f.home.Init()
	f.noneAnswers("a new SCM is in its place")
}

func (f *fleet) noneAnswers(when string) {
	f.t.Helper()
	for _, h := range f.servers {
		var last error
		for range handshakes() / 10 {
			if last = f.shake(h); last == nil {
				f.t.Errorf("%s: %s answers by a key that is no more", when, h.address)
			}
		}
		f.t.Logf("%s: %s answers %v", when, h.address, last)
	}
}

// lookForPIN: what runs on the hosts, and what it has written into its logs, does not have the PIN.
func (f *fleet) lookForPIN() {
	f.t.Helper()
	for _, h := range append([]*host{f.scm}, f.servers...) {
		pids := h.processes()
		if len(pids) == 0 {
			f.t.Errorf("nothing runs on %s", h.namespace)
		}
		var places []string
		for _, pid := range pids {
			places = append(places, fmt.Sprintf("/proc/%d/cmdline", pid))
		}
		logs, err := filepath.Glob(filepath.Join(h.folder, "*.log"))
		if err != nil || len(logs) == 0 {
			f.t.Errorf("no logs in %s: %v", h.folder, err)
		}
		for _, path := range append(places, logs...) {
			text, _ := os.ReadFile(path) // a process may have ended
			if strings.Contains(string(text), harness.UserPIN) {
				f.t.Errorf("the PIN is in %s:\n%s", path, text)
			}
		}
	}
}
