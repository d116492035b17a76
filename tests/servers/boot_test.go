// SPDX-License-Identifier: Apache-2.0

package servers_test

import (
	"fmt"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// boots are settings of an SCM that boots for a while.
func boots() string { return fmt.Sprintf("[soft]\nboot_delay = \"%ds\"\n", size(8, 20)) }

// TestNginxWhileBooting starts nginx as its unit does after a power cycle, while the SCM boots: it
// is up without a second start, by ExecStartPre, and by the module alone. By the vendor's library, too, which only
// says that time is out.
func TestNginxWhileBooting(t *testing.T) {
	harness.Need(t, "nginx")
	for name, library := range map[string]string{
		"soft": "", "by the vendor's library": harness.Build(t, "libzk_app_utils.so"),
	} {
		for _, waits := range []string{"ExecStartPre", "the module"} {
			t.Run(name+"/"+waits, func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				s.write("zk.toml", siteSettings(s.home, library)+boots())
				k := s.slotKey()
				tool := harness.Build(t, "zk_pkcs11-util")
				s.write("soft.toml", siteSettings(s.home, "")+boots())
				s.run(k, "env", "ZK_PKCS11_CONF="+s.path("soft.toml"), tool, "scm", "inject", "boot")
				if waits == "ExecStartPre" {
					s.run(k, tool, "scm", "wait", "--timeout", "180")
				}
				s.nginx(k).awaitService(k)
			})
		}
	}
}
