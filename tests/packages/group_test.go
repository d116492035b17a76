// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"strings"
	"testing"
)

// checkGroup: two settings that stand in the file as comments let members of the group use a token
// of root, and nobody else.
func checkGroup(t *testing.T, lower, folder string) {
	m := newMachine(t, lower)
	m.take(deb(t, folder, "libzk-pkcs11"), deb(t, folder, "zk-pkcs11-utils"))
	m.run(install)
	m.run(`sed -E -i 's/^#(state|state_group) = /\1 = /; /^\[log\]/q' /etc/zk_pkcs11/zk_pkcs11.toml
		usermod --append --groups zk_pkcs11 games` + "\n" + token)
	as := func(user string) string {
		return "setpriv --reuid " + user + " --regid " + user + " --init-groups " + show
	}
	m.want(as("games"), "packaged")
	if out, _ := m.try(as("news")); !strings.Contains(out, "permission denied") || strings.Contains(out, "packaged") {
		t.Errorf("a stranger sees the token:\n%s", out)
	}
}
