// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// checkLive upgrades the packages under an nginx with a key in a token, from what older installs in the system: no
// handshake fails, neither then nor after a reload or a restart.
func checkLive(t *testing.T, lower, folder string, older func(*machine)) {
	harness.Need(t, "nginx", "openssl", "pkcs11-tool", "pgrep")
	m := newMachine(t, lower)
	older(m)
	// As docs/clients/nginx.md tells; the packages have made the directory for another group.
	m.run(`mkdir -p /etc/zk_pkcs11
		! [ -e /var/lib/zk_pkcs11 ] || chgrp www-data /var/lib/zk_pkcs11
		printf '%s\n' 'state = "/var/lib/zk_pkcs11"' 'state_group = "www-data"' > /etc/zk_pkcs11/zk_pkcs11.toml`)
	for _, name := range names[:2] {
		m.take(later(t, deb(t, folder, name)))
	}
	w := m.start().serve()
	w.during("before", "true")
	said := w.during("upgrade", "dpkg --no-triggers --force-confold --install /debs/*+later.deb")
	if !strings.Contains(said, "until they are restarted: nginx (") {
		t.Errorf("the package does not say that nginx has the module of before:\n%s", said)
	}
	w.run(`grep 'libzk_pkcs11.so (deleted)' "/proc/$(cat /www/nginx.pid)/maps"`)
	w.during("after it", "true")
	w.during("reload", reloadNginx)
	w.run(stopNginx + startNginx)
	w.during("after a restart", "true")
	w.run(`grep '/libzk_pkcs11.so$' "/proc/$(cat /www/nginx.pid)/maps"
		zk_pkcs11-util check --key 'pkcs11:object=www' --pin 12345678`)
	w.during("reload after a restart", reloadNginx)
}

// theseOnes installs the packages themselves.
func theseOnes(folder string) func(*machine) {
	return func(m *machine) {
		m.take(deb(m.t, folder, "libzk-pkcs11"), deb(m.t, folder, "zk-pkcs11-utils"))
		m.run(install)
	}
}

// version010 is the commit of version 0.1.0, which had no packages.
const version010 = "fa037e4c"

// checkLive010 begins with version 0.1.0, as its make install has put it, where no package owns it, and in a package.
func checkLive010(t *testing.T, lower, folder string) {
	if os.Getenv("ZK_SOAK") == "" {
		t.Skip("ZK_SOAK is not set: make soak builds version 0.1.0 for this")
	}
	module := module010(t)
	t.Run("of make install", func(t *testing.T) { checkLive(t, lower, folder, installed(module)) })
	t.Run("of a package", func(t *testing.T) { checkLive(t, lower, folder, packed(module)) })
}

// installed installs a module as make install does.
func installed(module string) func(*machine) {
	return func(m *machine) {
		m.take(module)
		m.run("install -D -m 0755 /debs/libzk_pkcs11.so /usr/lib/libzk_pkcs11.so\nrm /debs/libzk_pkcs11.so")
	}
}

// packed installs a module by a package of the name of today's.
func packed(module string) func(*machine) {
	return func(m *machine) {
		tree := filepath.Join(m.t.TempDir(), "tree")
		write(m.t, filepath.Join(tree, "DEBIAN/control"), "Package: libzk-pkcs11\nVersion: 0.1.0\nArchitecture: "+
			strings.TrimSpace(run(m.t, exec.Command("dpkg", "--print-architecture")))+
			"\nMaintainer: nobody <nobody@localhost>\nDescription: version 0.1.0\n", 0o644)
		run(m.t, exec.Command("install", "-D", "-m", "0755", module, filepath.Join(tree, "usr/lib/libzk_pkcs11.so")))
		run(m.t, exec.Command("chmod", "0755", tree))
		m.take(pack(m.t, tree, "libzk-pkcs11_0.1.0.deb"))
		m.run(install)
	}
}

// module010 builds the module of version 0.1.0 from the history.
func module010(t *testing.T) string {
	t.Helper()
	harness.Need(t, "git", "make", "go", "gcc")
	root, dir := harness.Root(t), t.TempDir()
	if err := exec.Command("git", "-C", root, "cat-file", "-e", version010+"^{commit}").Run(); err != nil {
		t.Skipf("this is no clone with version 0.1.0 in its history: %v", err)
	}
	run(t, exec.Command("sh", "-euc", `git -C "$1" archive "$2" | tar -C "$3" -x`, "sh", root, version010, dir))
	if out, err := exec.Command("go", "-C", dir, "list", "-deps", "./module").CombinedOutput(); err != nil {
		t.Skipf("what version 0.1.0 is made of is not to be had: %v\n%s", err, out)
	}
	// Its make builds two more files, and this one first.
	run(t, exec.Command("bash", "-euo", "pipefail", "-c", `cd "$1"
mkdir build
MAKEFLAGS= MAKELEVEL= make --no-print-directory --just-print build | grep ' \./module$' >build/command
. build/command`, "bash", dir))
	return filepath.Join(dir, "build/libzk_pkcs11.so")
}
