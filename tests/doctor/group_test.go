// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// severalUsers goes to a system of its own, with a directory of all users for the group 4711. User 5001 is not in it, makes a token,
// and joins it; user 5002 has no home. Last the directory is gone.
const severalUsers = `set -eu
mount -t tmpfs none /var/lib
install -m 755 "$TOOL" /var/lib/tool
install -d -m 777 /var/lib/homes
install -d -m 2770 -g 4711 /var/lib/zk_pkcs11
cd /
as() {
	echo "== $1: $4"
	setpriv --reuid "$2" --regid "$2" --groups "$3" /var/lib/tool $4 2>&1 || echo "it ends with $?"
}
export HOME=/var/lib/homes/5001
as outsider 5001 5001 "token list"
as outsider 5001 5001 doctor
as owner 5001 5001 "token init --label own --pin 12345678 --so-pin 87654321"
as owner 5001 5001 "token list"
as owner 5001 5001 doctor
as member 5001 4711 "token init --label shared --pin 12345678 --so-pin 87654321"
as member 5001 4711 doctor
export HOME=/nonexistent
as homeless 5002 5002 "token list"
as homeless 5002 5002 doctor
rm -r /var/lib/zk_pkcs11
as alone 5002 5002 doctor
`

// TestSeveralUsers: a user who is not in the group of the token of all users gets to know of it, as does a member who has a token in
// his home, and a user without a home of what is missing. Nobody is told of what he uses already.
func TestSeveralUsers(t *testing.T) {
	harness.Need(t, "unshare", "setpriv")
	if os.Geteuid() != 0 || exec.Command("unshare", "-m", "true").Run() != nil {
		t.Skip("no system of its own can be made here")
	}
	cmd := exec.Command("unshare", "-m", "sh", "-c", severalUsers)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "ZK_PKCS11_CONF=", "ZK_PKCS11_BACKEND=soft", "TOOL=" + harness.Build(t, "zk_pkcs11-util")}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	told := map[string]string{}
	for _, part := range strings.Split(string(out), "== ")[1:] {
		who, text, _ := strings.Cut(part, "\n")
		told[who] = strings.Join(strings.Fields(text), " ")
	}
	const place, home, absent = "/var/lib/zk_pkcs11", "/var/lib/homes/5001/.local/state/zk_pkcs11", "cannot make it"
	for who, want := range map[string][]string{
		"outsider: token list": {"The token in " + place + " is for members of the group 4711", "sudo usermod -aG 4711"},
		"outsider: doctor":     {"INFO: token-of-group", place, "do sudo usermod -aG 4711 5001", "Nothing is wrong"},
		"member: doctor":       {"INFO: token-left", home + ", which is not used", "do export ZK_PKCS11_HOME=" + home, "Nothing is wrong"},
		"homeless: token list": {"there is no place for the state of this user's token", "set ZK_PKCS11_HOME to a directory", "usermod -aG", "it ends with 1"},
		"homeless: doctor":     {"ERROR: state-no-place", "/nonexistent/", absent, "do sudo usermod -aG 4711 5002", "it ends with 2"},
		"alone: doctor":        {"ERROR: state-no-place", absent, "do export ZK_PKCS11_HOME=DIR", "it ends with 2"},
	} {
		for _, part := range want {
			if !strings.Contains(told[who], part) {
				t.Errorf("%s does not say %q but\n%s", who, part, told[who])
			}
		}
	}
	for who, not := range map[string]string{
		"owner: token list": "usermod", "owner: doctor": "INFO", "homeless: token list": "zkifc", "homeless: doctor": "token-of-group",
	} {
		if told[who] == "" || strings.Contains(told[who], not) {
			t.Errorf("%s says %q:\n%s", who, not, told[who])
		}
	}
}
