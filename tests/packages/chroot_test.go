// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// machine is a Debian system whose changes go to a folder of the test: an overlay on this one, or
// on a new one.
type machine struct {
	t                *testing.T
	lower, dir, root string
}

// newMachine makes a system of the one below lower. A test that may not mount anything skips.
func newMachine(t *testing.T, lower string) *machine {
	t.Helper()
	harness.Need(t, "unshare", "chroot", "dpkg")
	m := &machine{t: t, lower: lower, dir: t.TempDir()}
	m.root = filepath.Join(m.dir, "root")
	for _, name := range []string{"upper", "work", "root"} {
		if err := os.Mkdir(filepath.Join(m.dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// What make install and the tests have left on this one is not seen there.
	if out, err := m.try("rm -rf /var/lib/zk_pkcs11 /etc/zk_pkcs11 /usr/lib/libzk_pkcs11.so /usr/bin/zk_pkcs11-util " +
		"/usr/share/p11-kit/modules/zk_pkcs11.module"); err != nil {
		t.Skipf("this needs to be root and to mount: %v\n%s", err, out)
	}
	return m
}

// enter mounts the system for one script, for its processes only.
const enter = `mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount --rbind /dev "$2/root/dev"
mount -t proc proc "$2/root/proc"
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$2/root" sh -euc "$3"`

// try runs a script in the system.
func (m *machine) try(script string) (string, error) {
	out, err := exec.Command("unshare", "--mount", "--pid", "--fork", "sh", "-euc", enter, "sh", m.lower, m.dir, script).CombinedOutput()
	return string(out), err
}

// run runs a script that has to end well.
func (m *machine) run(script string) string {
	m.t.Helper()
	out, err := m.try(script)
	if err != nil {
		m.t.Fatalf("%s\n%v\n%s", script, err, out)
	}
	return out
}

// take puts files into the folder /debs of the system.
func (m *machine) take(files ...string) {
	m.t.Helper()
	folder := filepath.Join(m.dir, "upper/debs")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		m.t.Fatal(err)
	}
	run(m.t, exec.Command("cp", append(files, folder)...))
}
