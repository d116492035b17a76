// SPDX-License-Identifier: Apache-2.0

package servers_test

import (
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/servers/load"
)

// haproxyConf leaves out insecure-fork-wanted: workers may make no threads.
const haproxyConf = `global
	chroot {{.Root}}
	user {{.User}}
	group {{.User}}
	pidfile {{.Site}}/haproxy.pid
defaults
	mode http
	timeout client 30s
	timeout connect 30s
	timeout server 30s
frontend web
	bind {{.Address}} {{if .Cert}}ssl crt {{.Cert}}{{else}}accept-proxy{{end}}
	http-request return status 200
`

// providerConf makes OpenSSL's provider known, which haproxy knows nothing of.
const providerConf = `openssl_conf = init
[init]
providers = providers
[providers]
default = base
pkcs11 = pkcs11
[base]
activate = 1
[pkcs11]
module = %s
pkcs11-module-path = %s
activate = 1
`

// haproxyWith starts a daemon with these options.
func haproxyWith(options ...string) func(*site, key) *daemon {
	return func(s *site, k key) *daemon {
		address, args := s.prepareHaproxy(k)
		d := s.daemonise(k, "haproxy.pid", address, "env", append(args, options...)...)
		d.logIn()
		return d
	}
}

func (s *site) haproxyAlone(k key) *daemon {
	address, args := s.prepareHaproxy(k)
	return s.foreground(k, "", address, "env", append(args, "-db")...)
}

// logIn makes the first handshake. While one thread of a worker logs in, those of
// others fail: pkcs11-provider 1.0 does not wait for it, whatever the module.
func (d *daemon) logIn() {
	load.Run(load.Options{Address: d.address, Roots: d.key.roots(d.t), Handshakes: 1, Clients: 1})
}

// prepareHaproxy writes the configuration of a haproxy that does the TLS itself,
// and returns its address and its command, as arguments of env.
func (s *site) prepareHaproxy(k key) (address string, args []string) {
	s.t.Helper()
	args = []string{"haproxy", "-f", s.path("haproxy.cfg")}
	if k.URI != "" {
		conf := fmt.Sprintf(providerConf, harness.Provider(s.t), k.module)
		args = append([]string{"OPENSSL_CONF=" + s.write("provider.cnf", conf)}, args...)
	}
	address = s.freeAddress()
	k.Cert = s.certAndKey(k)
	s.configure("haproxy.cfg", haproxyConf, configuration{key: k, Address: address, Root: s.newRoot()})
	return address, args
}

// certAndKey writes both into one file.
func (s *site) certAndKey(k key) string {
	s.t.Helper()
	cert, err := os.ReadFile(k.Cert)
	s.check(err)
	text := s.uriKey(k.URI)
	if k.URI == "" {
		text, err = os.ReadFile(k.File)
		s.check(err)
	}
	return s.write("both.pem", string(cert)+string(text))
}

// uriKey is a key in a module, as pkcs11-provider reads it from a file.
func (s *site) uriKey(uri string) []byte {
	s.t.Helper()
	const visibleString = 26
	der, err := asn1.Marshal(struct {
		What asn1.RawValue
		URI  string `asn1:"utf8"`
	}{asn1.RawValue{Tag: visibleString, Bytes: []byte("PKCS#11 Provider URI v1.0")}, uri})
	s.check(err)
	return pem.EncodeToMemory(&pem.Block{Type: "PKCS#11 PROVIDER URI", Bytes: der})
}

// haproxyBehindStunnel has stunnel do the TLS, and tell haproxy the client's address.
func (s *site) haproxyBehindStunnel(k key) *daemon {
	s.check(os.MkdirAll(s.path("empty"), 0o555))
	address := s.freeAddress()
	conf := s.configure("haproxy.cfg", haproxyConf, configuration{Address: address, Root: s.path("empty")})
	s.daemonise(key{}, "haproxy.pid", address, "haproxy", "-W", "-D", "-f", conf)
	return s.stunnelTo(k, address, stunnelConf+"protocol = proxy\n", "")
}

// TestHaproxyHasNoEngine shows why haproxy is behind stunnel above: Debian 12
// builds it without engines, and it takes keys from files only. When this fails,
// there is a better way, and docs/clients/haproxy.md is out of date.
func TestHaproxyHasNoEngine(t *testing.T) {
	harness.Need(t, "haproxy")
	s := newSite(t)
	for _, k := range []key{s.slotKey(), s.softHSMKey()} {
		withEngine := s.write("engine.cfg", "global\n\tssl-engine pkcs11\n")
		asKey := s.write("key.cfg", "listen web\n\tbind "+s.freeAddress()+" ssl crt "+k.Cert+"\n")
		s.write(k.where+".pem.key", k.URI+"\n")
		for file, problem := range map[string]string{withEngine: "unknown keyword 'ssl-engine'", asKey: "unable to load private key"} {
			out, err := s.command(k, "haproxy", "-c", "-f", file).CombinedOutput()
			if err == nil || !strings.Contains(string(out), problem) {
				t.Errorf("key in %s: want %q, got %v\n%s", k.where, problem, err, out)
			}
		}
	}
}
