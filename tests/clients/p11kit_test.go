// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// newP11Kit makes a sandbox whose user has the .module file that make install
// writes, in the folder for modules of one user.
func newP11Kit(t testing.TB) *sandbox {
	t.Helper()
	harness.Need(t, "p11-kit")
	s := newSandbox(t)
	template, err := os.ReadFile(filepath.Join(harness.Root(t), "packaging/zk_pkcs11.module.in"))
	s.check(err)
	file := strings.ReplaceAll(string(template), "@LIBDIR@", filepath.Dir(s.module()))
	modules := filepath.Join(s.home(), ".config/pkcs11/modules")
	s.check(os.MkdirAll(modules, 0o755))
	s.check(os.WriteFile(filepath.Join(modules, "zk_pkcs11.module"), []byte(file), 0o644))
	return s
}

func (s *sandbox) initToken() {
	s.t.Helper()
	s.run(s.util(), "--init-token", "--slot", "0", "--label", harness.Label, "--pin", harness.UserPIN, "--so-pin", harness.SOPIN)
}

func TestP11KitListsModule(t *testing.T) {
	t.Parallel()
	s := newP11Kit(t)
	s.initToken()
	out := s.run("p11-kit", "list-modules")
	_, ours, found := strings.Cut(out, s.module()) // behind "zk_pkcs11: ", from p11-kit 0.25 on below "module: zk_pkcs11"
	if !found {
		t.Fatalf("p11-kit does not list the module:\n%s", out)
	}
	mustContain(t, ours, "token: "+harness.Label, "model: Soft SCM", "manufacturer: zk_pkcs11", "token-initialized", "login-required")
}

// TestP11KitProgramsFindTheToken uses programs that know no module by its name.
func TestP11KitProgramsFindTheToken(t *testing.T) {
	t.Parallel()
	harness.Need(t, "p11tool")
	s := newP11Kit(t)
	s.initToken()
	mustContain(t, s.run("p11tool", "--list-tokens"), "token="+harness.Label)
	mustContain(t, s.run("p11tool", "--list-all", tokenURI), "object=SCM%20slot%200;type=public")
}

// TestEngineThroughP11Kit leaves libp11 to its default module, the proxy of
// p11-kit.
func TestEngineThroughP11Kit(t *testing.T) {
	t.Parallel()
	s := newP11Kit(t)
	needEngine(t)
	s.initToken()
	s.run("openssl", "req", "-new", "-x509", "-engine", "pkcs11", "-keyform", "engine", "-key", uri("00", "private"),
		"-subj", "/CN=proxy", "-out", "cert.pem")
	mustContain(t, s.run("openssl", "verify", "-CAfile", "cert.pem", "cert.pem"), "OK")
}
