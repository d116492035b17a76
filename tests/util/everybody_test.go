// SPDX-License-Identifier: Apache-2.0

package util

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// everybody goes to a system of its own, in which users 5001 and 5002 are in the group of the directory
// of all users, and 5003 is not.
const everybody = `set -eu
mount -t tmpfs none /var/lib
install -m 755 "$TOOL" /var/lib/tool
install -m 755 "$LIBRARY" /var/lib/libzk_app_utils.so
install -d -m 777 /var/lib/homes
install -d -m 2770 -g 4711 /var/lib/zk_pkcs11
export ZK_APP_UTILS_LIB=/var/lib/libzk_app_utils.so
cd /
as() {
	export HOME=/var/lib/homes/$1
	setpriv --reuid "$1" --regid "$1" --groups "$2" /var/lib/tool --slot 0 $3
}
new="--init-token --pin 12345678 --so-pin 87654321 --label"
as 5001 4711 "$new first"
as 5002 4711 "--use-zkslot 0 --label named --pin 12345678"
as 5002 4711 "$new second" 2>&1 </dev/null | sed 's/^/member: /'
as 5002 4711 --show-slots | sed 's/^/member: /'
as 5003 5003 --show-slots 2>&1 | sed 's/^/stranger: /'
! as 5003 5003 "$new third" >/dev/null 2>&1
`

// TestEverybody: with hardware there is one token for all users. A user who may not use it gets to know why,
// in one line, and no token of his own.
func TestEverybody(t *testing.T) {
	harness.Need(t, "unshare")
	harness.Need(t, "setpriv")
	if os.Geteuid() != 0 || exec.Command("unshare", "-m", "true").Run() != nil {
		t.Skip("no system of its own can be made here")
	}
	t.Parallel()
	cmd := exec.Command("unshare", "-m", "sh", "-c", everybody)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "ZK_PKCS11_BACKEND=zymbit", "ZK_PKCS11_CONF=",
		"TOOL=" + harness.Build(t, "zk_pkcs11-util"), "LIBRARY=" + harness.Build(t, "libzk_app_utils.so")}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	told := 0
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "stranger: ") && strings.Contains(line, "usermod -aG zk_pkcs11") {
			told++
		}
	}
	if told != 1 || !strings.Contains(string(out), "stranger:         Token present:    no") {
		t.Errorf("%d lines tell a stranger why there is no token:\n%s", told, out)
	}
	if !strings.Contains(string(out), "member:         Label:            second") {
		t.Errorf("members have no token in common:\n%s", out)
	}
}
