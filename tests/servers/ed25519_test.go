// SPDX-License-Identifier: Apache-2.0

package servers_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestNginxEd25519 serves with the Ed25519 key of key slot 14, over reloads, with either
// setting of fork. nginx has the key by pkcs11-provider, since the engine of Debian 12
// knows no such keys. What libp11 0.4.17 and later do is done by a host in tests/fork.
func TestNginxEd25519(t *testing.T) {
	harness.Need(t, "nginx")
	for _, fork := range []string{"strict", "inherit"} {
		t.Run(fork, func(t *testing.T) {
			s := newSite(t)
			k := s.ed25519Key(fork)
			n, reloads := size(300, 2000), size(2, 5)
			r := s.nginxByProvider(k).reloadUnderLoad(n, reloads)
			t.Logf("nginx, Ed25519, fork = %s, %d reloads: %.0f handshakes/s, %d of %d failed", fork, reloads, r.Rate, len(r.Failures), n)
		})
	}
}

// ed25519Key is the key in key slot 14 of a new soft SCM, in a file that names it.
func (s *site) ed25519Key(fork string) key {
	s.t.Helper()
	k := key{where: "slot14", module: harness.Module(s.t), Cert: s.path("slot14.pem")}
	settings, err := os.ReadFile(s.path("zk.toml"))
	s.check(err)
	s.write("zk.toml", fmt.Sprintf("fork = %q\n%s", fork, settings))
	s.write("provider.cnf", fmt.Sprintf(providerConf, harness.Provider(s.t), k.module)+"[req]\ndistinguished_name = name\n[name]\n")
	s.run(k, harness.Build(s.t, "zk_pkcs11-util"), "--init-token", "--slot", "0", "--label", harness.Label,
		"--pin", harness.UserPIN, "--so-pin", harness.SOPIN)
	k.File = s.write("slot14.key", string(s.uriKey(strings.Replace(uri(harness.Label), "id=%00", "id=%0E", 1))))
	s.run(k, "env", "OPENSSL_CONF="+s.path("provider.cnf"), "openssl", "req", "-new", "-x509", "-key", k.File, "-subj", "/CN=localhost",
		"-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE", "-out", k.Cert)
	return k
}

// nginxByProvider starts an nginx whose OpenSSL has the provider.
func (s *site) nginxByProvider(k key) *daemon {
	s.t.Helper()
	address := s.freeAddress()
	conf := s.configure("nginx.conf", "env OPENSSL_CONF;\n"+nginxConf, configuration{key: k, Address: address, Workers: 2})
	d := s.daemonise(k, "nginx.pid", address, "env", "OPENSSL_CONF="+s.path("provider.cnf"),
		"nginx", "-p", s.dir, "-e", s.path("nginx.log"), "-c", conf)
	d.awaitService(k)
	return d
}
