// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// install and purge are without the triggers of other packages, which take long.
const (
	install = "dpkg --no-triggers --install /debs/*.deb\n"
	remove  = "dpkg --no-triggers --remove zk-pkcs11-utils libzk-pkcs11 zk-scm-emulator\n"
	purge   = "dpkg --no-triggers --purge zk-pkcs11-utils libzk-pkcs11 zk-scm-emulator\n"
	token   = "zk_pkcs11-util --init-token --slot 0 --label packaged --pin 12345678 --so-pin 87654321\n"
	show    = "zk_pkcs11-util --show-slots\n"
)

// checkLife installs the packages, upgrades, removes and purges them. The token outlives all but
// a purge whose question is answered so.
func checkLife(t *testing.T, lower, folder string) {
	m := newMachine(t, lower)
	for _, name := range names {
		m.take(deb(t, folder, name))
	}
	m.run(install)
	checkInstalled(m)
	checkOwnTests(m)
	m.run(token)
	checkServices(m)

	checkUpgrade(m, folder)

	m.run(remove + `! [ -e /usr/lib/libzk_pkcs11.so ] && ! [ -L /usr/lib/libzk_pkcs11.so ] && ! [ -e /usr/bin/zk_pkcs11-util ]
		[ -e /etc/zk_pkcs11/zk_pkcs11.toml ] && [ -e /var/lib/zk_pkcs11/token.db ]`)
	m.want("mkdir /var/lib/zk_pkcs11.new-5\n"+purge, "the tokens and keys in /var/lib/zk_pkcs11 /var/lib/zk_pkcs11.new-5 stay")
	m.run("! [ -e /etc/zk_pkcs11 ] && [ -e /var/lib/zk_pkcs11/token.db ]")
	m.want(install+show, "packaged")
	m.run("mkdir -m 700 /var/lib/zk_pkcs11.old-20260101T000000.000Z /var/lib/zk_pkcs11.new-1234 /var/lib/zk_pkcs11.old-mine /var/lib/zk_pkcs11.new-mine && touch /etc/zk_pkcs11/user.pin")
	checkQuestion(m)
	m.want("echo libzk-pkcs11 libzk-pkcs11/purge-keys boolean true | debconf-set-selections\n"+purge, "stay in /etc/zk_pkcs11: user.pin")
	m.run(onlyMine)
	m.run("! ls /var/lib/dpkg/info/*zk-pkcs11* /var/lib/dpkg/info/zk-scm-emulator* 2>/dev/null")
}

// onlyMine is what a purge leaves that takes the keys: what has names that no restore gives.
const onlyMine = `[ "$(echo /var/lib/zk_pkcs11*)" = "/var/lib/zk_pkcs11.new-mine /var/lib/zk_pkcs11.old-mine" ]`

// checkQuestion: debconf has the question of a purge, also where nobody has preconfigured the package, and asks it.
func checkQuestion(m *machine) {
	m.t.Helper()
	m.want("debconf-show libzk-pkcs11", "libzk-pkcs11/purge-keys: false")
	for answer, there := range map[string]string{"no": "[ -e /var/lib/zk_pkcs11/token.db ]", "yes": onlyMine} {
		copied := &machine{t: m.t, lower: m.lower, dir: m.t.TempDir(), root: m.root}
		if out, err := exec.Command("cp", "-a", m.dir+"/.", copied.dir).CombinedOutput(); err != nil {
			m.t.Fatalf("%v\n%s", err, out)
		}
		copied.want("echo "+answer+" | DEBIAN_FRONTEND=teletype "+purge, "Destroy the keys and tokens")
		copied.run(there)
	}
}

// checkInstalled: what an administrator finds.
func checkInstalled(m *machine) {
	m.t.Helper()
	m.want("stat -c '%a %U:%G' /var/lib/zk_pkcs11", "2770 root:zk_pkcs11")
	m.want("getent passwd zk_pkcs11", "/nologin")
	m.want("getent group zk_pkcs11-client", "zk_pkcs11-client")
	m.run("! ls /etc/systemd/system/*.wants/zk_pkcs11* 2>/dev/null") // units are enabled by hand
	m.want("dpkg-query --show --showformat '${Conffiles}' libzk-pkcs11", "/etc/zk_pkcs11/zk_pkcs11.toml")
	m.want("cat /usr/share/p11-kit/modules/zk_pkcs11.module", "module: /usr/lib/libzk_pkcs11.so")
	m.want(show, "Slot 0")
	m.want("zk_pkcs11-util version", "zk_pkcs11-util ")
	m.run(`[ -s "$(zk-soft-scm printenv LD_LIBRARY_PATH)/libzk_app_utils.so" ]`)
	m.run("for shell in bash zsh fish; do if command -v $shell; then $shell -n $(dpkg -L zk-pkcs11-utils | grep completion | grep -e $shell | grep zk_); fi; done")
	// All of the settings at once are settings, with values that the module takes.
	m.run(`sed -E 's/^#([a-z0-9_]+ = |\[\[)/\1/' /etc/zk_pkcs11/zk_pkcs11.toml > /tmp/all.toml
		ZK_PKCS11_CONF=/tmp/all.toml ZK_PKCS11_HOME=/tmp/all ZK_PKCS11_BACKEND=soft zk_pkcs11-util --show-slots`)
	if out, err := m.try("zk-soft-scm"); err == nil || !strings.Contains(out, "usage:") {
		m.t.Errorf("zk-soft-scm without a command: %v\n%s", err, out)
	}
}

// checkServices: the user of the server has the token, and the keyscript of disks its secret, where the package puts them.
func checkServices(m *machine) {
	m.t.Helper()
	m.want("setpriv --reuid zk_pkcs11 --regid zk_pkcs11 --init-groups "+show, "packaged")
	m.run(`umask 077
		echo 12345678 > /etc/zk_pkcs11/disk.pin
		zk_pkcs11-util secret lock /etc/zk_pkcs11/disk.secret --pin-file /etc/zk_pkcs11/disk.pin
		line=$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/zk_pkcs11-disk@.service)
		$line | grep -E '^[0-9a-f]{64}$'
		rm /etc/zk_pkcs11/disk.*`)
}

// checkUpgrade: settings and the group of the state folder stay as the administrator has them.
func checkUpgrade(m *machine, folder string) {
	m.t.Helper()
	m.run("echo '# mine' >> /etc/zk_pkcs11/zk_pkcs11.toml\nchgrp games /var/lib/zk_pkcs11\nrm /debs/*.deb")
	for _, name := range names {
		m.take(later(m.t, deb(m.t, folder, name)))
	}
	m.run(install)
	m.want("dpkg-query --show libzk-pkcs11", "+later")
	m.want("tail -n 1 /etc/zk_pkcs11/zk_pkcs11.toml", "# mine")
	m.want("stat -c '%a %U:%G' /var/lib/zk_pkcs11", "2770 root:games")
	m.want(show, "packaged")
}

// want runs a script whose output has to have a text.
func (m *machine) want(script, text string) {
	m.t.Helper()
	if out := m.run(script); !strings.Contains(out, text) {
		m.t.Errorf("%s\nhas no %q in\n%s", script, text, out)
	}
}

// later is a package with the next version and the same files.
func later(t *testing.T, file string) string {
	t.Helper()
	tree := filepath.Join(t.TempDir(), "tree")
	run(t, exec.Command("dpkg-deb", "--raw-extract", file, tree))
	control := filepath.Join(tree, "DEBIAN/control")
	run(t, exec.Command("sed", "-E", "-i", `s/^(Version: .*)/\1+later/; s/(libzk-pkcs11 \(= [^)]*)\)/\1+later)/`, control))
	return pack(t, tree, strings.TrimSuffix(filepath.Base(file), ".deb")+"+later.deb")
}

// pack makes a package of a tree, fast.
func pack(t *testing.T, tree, name string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	run(t, exec.Command("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, file))
	return file
}

// checkOtherOwner: a package that has the path of the module already keeps it, and dpkg says why.
func checkOtherOwner(t *testing.T, lower, folder string) {
	m := newMachine(t, lower)
	tree := filepath.Join(t.TempDir(), "vendor")
	write(t, filepath.Join(tree, "DEBIAN/control"), "Package: vendor-module\nVersion: 1\nArchitecture: all\n"+
		"Maintainer: nobody <nobody@localhost>\nDescription: it has a file of the name\n", 0o644)
	write(t, filepath.Join(tree, "usr/lib/libzk_pkcs11.so"), "theirs", 0o644)
	if err := os.Chmod(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	m.take(pack(t, tree, "vendor-module.deb"))
	m.run(install)
	m.take(deb(t, folder, "libzk-pkcs11"))
	out, err := m.try("dpkg --no-triggers --install /debs/libzk-pkcs11_*.deb")
	if err == nil || !strings.Contains(out, "trying to overwrite '/usr/lib/libzk_pkcs11.so', which is also in package vendor-module") {
		t.Errorf("dpkg: %v\n%s", err, out)
	}
	m.want("cat /usr/lib/libzk_pkcs11.so", "theirs")
}
