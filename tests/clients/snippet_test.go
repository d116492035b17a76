// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// snippetTest is what a snippet is put into, and what has to come out.
type snippetTest struct {
	page   // what it needs
	script string
	output []string
}

// snippetSetup makes a key with a certificate, and the file of the PIN. SETTINGS is the directory that the snippets name.
const snippetSetup = `
zk_pkcs11-util --init-token --slot 0 --label web --pin 12345678 --so-pin 87654321
(umask 077 && printf %s 12345678 > SETTINGS/www.pin)
zk_pkcs11-util key generate --type TYPE --slot 0 --pin 12345678 --label www --id 0001
zk_pkcs11-util key self-cert --slot 0 --pin 12345678 --id 0001 --subject CN=localhost --store > self.pem
snippet() { zk_pkcs11-util snippet "$@" --token web --label www; }
commands() { sed -n 's/^#.*\(zk_pkcs11-util [kc].*\)/\1/p' "$1" | sh; } # that a snippet names
fetch() { curl --silent --show-error --retry 20 --retry-all-errors --retry-delay 1 --cacert self.pem "$@" https://localhost:8443/; }
`

func snippetTests() map[string]snippetTest {
	return map[string]snippetTest{
		"openssl-engine": {page{programs: []string{"openssl"}, engine: true}, `
snippet openssl-engine > engine.cnf
export OPENSSL_CONF=$PWD/engine.cnf
sed -n 's/^#   //p' engine.cnf | sh > public.pem
echo hello > message
openssl dgst -sha256 -engine pkcs11 -keyform engine -sign 'pkcs11:token=web;id=%00%01;type=private;pin-source=SETTINGS/www.pin' -out signature message
OPENSSL_CONF= openssl dgst -sha256 -verify public.pem -signature signature message
`, []string{"Verified OK"}},

		"openssl-provider": {page{programs: []string{"openssl"}, provider: true}, `
snippet openssl-provider > provider.cnf
export OPENSSL_CONF=$PWD/provider.cnf
sed -n 's/^#   //p' provider.cnf | sh > public.pem
echo hello > message
openssl dgst -sha256 -sign 'pkcs11:token=web;id=%00%01;type=private;pin-source=file:SETTINGS/www.pin' -out signature message
OPENSSL_CONF= openssl dgst -sha256 -verify public.pem -signature signature message
`, []string{"Verified OK"}},

		"nginx": {page{programs: []string{"nginx", "curl"}, engine: true, root: true}, `
snippet openssl-engine > SETTINGS/openssl.cnf
snippet nginx > www.conf
commands www.conf
cat > nginx.conf <<END
user www-data;
pid nginx.pid;
error_log error.log;
events {}
http {
	access_log off;
	server {
		listen 127.0.0.1:8443 ssl;
		include $PWD/www.conf;
		return 200 "hello from nginx\n";
	}
}
END
export OPENSSL_CONF=SETTINGS/openssl.cnf
nginx -p "$PWD" -c nginx.conf
fetch
nginx -p "$PWD" -c nginx.conf -s quit
`, []string{"hello from nginx"}},

		"apache": {page{programs: []string{"apache2", "curl"}, engine: true, root: true}, `
snippet openssl-engine > SETTINGS/openssl.cnf
snippet apache > www.conf
commands www.conf
mkdir htdocs
echo 'hello from Apache' > htdocs/index.html
cat > apache.conf <<END
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
ServerName localhost
Listen 127.0.0.1:8443
DefaultRuntimeDir $PWD
PidFile $PWD/apache.pid
ErrorLog $PWD/error.log
User www-data
Group www-data
DocumentRoot $PWD/htdocs
<VirtualHost *:8443>
	Include $PWD/www.conf
</VirtualHost>
END
export OPENSSL_CONF=SETTINGS/openssl.cnf
apache2 -f "$PWD/apache.conf" -k start
OPENSSL_CONF= fetch
apache2 -f "$PWD/apache.conf" -k stop
`, []string{"hello from Apache"}},

		"haproxy": {page{programs: []string{"haproxy", "curl"}, provider: true, root: true}, `
snippet openssl-provider > SETTINGS/openssl.cnf
snippet haproxy > SETTINGS/www.pem
cat > haproxy.cfg <<END
global
	user www-data
	group www-data
	pidfile $PWD/haproxy.pid
defaults
	mode http
	timeout client 30s
	timeout connect 30s
	timeout server 30s
frontend web
	bind 127.0.0.1:8443 $(sed -n 's/.*bind :443 //p' SETTINGS/www.pem)
	http-request return status 200 content-type text/plain string "hello from haproxy"
END
OPENSSL_CONF=SETTINGS/openssl.cnf haproxy -W -D -f haproxy.cfg
fetch
kill "$(cat haproxy.pid)"
`, []string{"hello from haproxy"}},

		"stunnel": {page{programs: []string{"stunnel4", "python3", "curl"}, engine: true, root: true}, `
snippet stunnel > www.conf
commands www.conf
echo 'hello through stunnel' > index.html
python3 -m http.server --bind 127.0.0.1 8080 > http.log 2>&1 &
HTTP=$!
(printf 'pid = %s/stunnel.pid\noutput = %s/stunnel.log\n' "$PWD" "$PWD"; cat www.conf; printf 'accept = 127.0.0.1:8443\nconnect = 127.0.0.1:8080\n') > stunnel.conf
PKCS11_MODULE_PATH=LIBRARY stunnel4 stunnel.conf 2> start.log
fetch
kill "$(cat stunnel.pid)" $HTTP
`, []string{"hello through stunnel"}},

		"curl": {page{programs: []string{"curl", "openssl"}, engine: true}, `
snippet curl > curl.conf
commands curl.conf
openssl req -new -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout server.key -out self.pem -days 9 -subj /CN=localhost -addext subjectAltName=DNS:localhost
zk_pkcs11-util key self-cert --slot 0 --pin 12345678 --id 0001 --profile client --subject CN=somebody > SETTINGS/www.pem
openssl s_server -accept 127.0.0.1:8443 -cert server.pem -cert self.pem -key server.key -CAfile SETTINGS/www.pem -Verify 1 -verify_return_error -www > server.log 2>&1 &
SERVER=$!
export PKCS11_MODULE_PATH=LIBRARY
fetch -K curl.conf > page.html
grep -A 12 'Client certificate' page.html | grep -o 'Subject: CN.*' | tr -d ' '
kill $SERVER
`, []string{"Subject:CN=somebody"}},

		"ssh": {page{programs: []string{"ssh", "/usr/sbin/sshd", "ssh-keygen"}, root: true}, `
(echo Host localhost; snippet ssh) > config
commands config
sed -n 's/^#   \([a-z0-9-]* AAAA.*\)/\1/p' config > authorized
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f host_key
cat > sshd_config <<END
ListenAddress 127.0.0.1:2222
HostKey $PWD/host_key
AuthorizedKeysFile $PWD/authorized
PidFile $PWD/sshd.pid
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
END
/usr/sbin/sshd -f sshd_config -E sshd.log
echo "[localhost]:2222 $(cat host_key.pub)" > known_hosts
printf '#!/bin/sh\necho 12345678\n' > askpass
chmod +x askpass
SSH_ASKPASS=$PWD/askpass SSH_ASKPASS_REQUIRE=force ssh -F config -p 2222 -o ConnectionAttempts=20 -o UserKnownHostsFile="$PWD/known_hosts" localhost 'echo logged in'
kill "$(cat sshd.pid)"
`, []string{"logged in"}},

		"git": {page{programs: []string{"git", "ssh-agent", "ssh-keygen", "ssh-add"}}, `
snippet git > "$HOME/.gitconfig"
printf '#!/bin/sh\necho 12345678\n' > askpass
chmod +x askpass
eval "$(ssh-agent -P LIBRARY)" > agent.log
SSH_ASKPASS=$PWD/askpass SSH_ASKPASS_REQUIRE=force $(sed -n 's/^#   \(ssh-add .*\)/\1/p' "$HOME/.gitconfig") 2> add.log
echo "somebody@example.com $(sed -n 's/^#   \([a-z0-9-]* AAAA.*\)/\1/p' "$HOME/.gitconfig")" > signers
git init -q project
cd project
git config user.name Somebody
git config user.email somebody@example.com
git config gpg.ssh.allowedSignersFile "$PWD/../signers"
git commit -q --allow-empty -m 'Say hello'
git verify-commit HEAD
git tag -m first v1
git verify-tag v1
ssh-agent -k > /dev/null
`, []string{`Good "git" signature for somebody@example.com with`, `Good "git" signature for somebody@example.com with`}},

		"java": {page{programs: []string{"java", "keytool"}}, `
snippet java > SETTINGS/www.cfg
$(sed -n 's/^#   //p' SETTINGS/www.cfg) -storepass 12345678
`, []string{"Keystore provider: SunPKCS11-www", "www, PrivateKeyEntry"}},

		"python": {page{programs: []string{"/usr/bin/python3", "openssl"}, python: "PyKCS11"}, `
snippet python > sign.py
/usr/bin/python3 sign.py | tee hex | grep -c '^[0-9a-f]\{128,\}$'
`, []string{"1"}},
	}
}

// TestSnippets gives each snippet to the program that it is for, as it is printed.
func TestSnippets(t *testing.T) {
	t.Parallel()
	tests := snippetTests()
	for _, name := range printedSnippets(t) {
		test, known := tests[name]
		if !known && name != "go" {
			t.Errorf("no test runs the snippet %s", name)
		}
		if !known {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.run(t, "p256")
		})
	}
}

// TestSnippetsOfOtherKeys: where it matters for the snippet of which type the key is.
func TestSnippetsOfOtherKeys(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"rsa2048", "p384"} {
		for _, name := range []string{"nginx", "ssh", "git", "java", "python", "haproxy"} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				snippetTests()[name].run(t, kind)
			})
		}
	}
}

func (x snippetTest) run(t *testing.T, kind string) {
	t.Helper()
	x.need(t)
	s := snippetSandbox(t)
	if x.provider {
		s.env = append(s.env, "OPENSSL_MODULES="+filepath.Dir(harness.Provider(t)))
	}
	text := strings.NewReplacer("SETTINGS", filepath.Dir(s.config()), "LIBRARY", s.module(), "TYPE", kind).Replace(snippetSetup + x.script)
	out, err := s.shell("set -eu\n" + s.localisePorts(text))
	if err != nil {
		t.Fatalf("%v at the last line:\n%s%s", err, out, s.logs())
	}
	if line, missing := (step{output: x.output}).missing(out); missing {
		t.Errorf("%q is not, or not in this place, in\n%s", line, out)
	}
}

// snippetSandbox is a machine whose servers share the token.
func snippetSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := newRootSandbox(t)
	if os.Geteuid() == 0 {
		s.configure("state = \"" + filepath.Join(s.root, "var/lib/zk_pkcs11") + "\"\nstate_group = \"www-data\"\n")
	}
	return s
}

// localisePorts makes the ports of a script ones that are free, and leaves its paths, which are those that the tool prints.
func (s *sandbox) localisePorts(text string) string {
	local := s.localise("8443 8080 2222")
	ports := strings.Fields(local)
	return strings.NewReplacer("8443", ports[0], "8080", ports[1], "2222", ports[2]).Replace(text)
}

// logs are what servers of a script have left.
func (s *sandbox) logs() string {
	files, _ := filepath.Glob(filepath.Join(s.home(), "*.log"))
	var b strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && len(text) > 0 {
			b.WriteString("== " + filepath.Base(file) + "\n" + string(text))
		}
	}
	return b.String()
}

// printedSnippets are the names that the tool knows.
func printedSnippets(t *testing.T) []string {
	t.Helper()
	out, _ := exec.Command(harness.Build(t, "zk_pkcs11-util"), "snippet").CombinedOutput()
	_, list, found := strings.Cut(string(out), "name a program: ")
	if !found {
		t.Fatalf("the tool names no programs: %s", out)
	}
	return strings.Split(strings.TrimSpace(list), ", ")
}

// TestGoSnippet builds the program with the modules of this project, and has openssl verify what it signs.
func TestGoSnippet(t *testing.T) {
	t.Parallel()
	harness.Need(t, "go", "openssl")
	s := snippetSandbox(t)
	settings := filepath.Dir(s.config())
	out, err := s.shell("set -eu\n" + strings.NewReplacer("SETTINGS", settings, "TYPE", "p256").Replace(snippetSetup) + "snippet go > program.go\n")
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	code, err := os.ReadFile(filepath.Join(s.home(), "program.go"))
	s.check(err)
	s.build(string(code), "program")
	signature, err := hex.DecodeString(strings.TrimSpace(s.run("./program")))
	s.check(err)
	s.check(os.WriteFile(filepath.Join(s.home(), "signature"), signature, 0o644))
	out, err = s.shell(`set -eu
printf 'a message' > message
zk_pkcs11-util key public --slot 0 --id 0001 > public.pem
openssl dgst -sha256 -verify public.pem -signature signature message
`)
	if err != nil || !strings.Contains(out, "Verified OK") {
		t.Errorf("%v:\n%s", err, out)
	}
}

// TestSnippetsOfUnfitKeys: what cannot work is refused, and what depends on a version is said.
func TestSnippetsOfUnfitKeys(t *testing.T) {
	t.Parallel()
	s := snippetSandbox(t)
	out, err := s.shell(`
zk_pkcs11-util --init-token --slot 0 --label web --pin 12345678 --so-pin 87654321
for type in x25519 ed25519 secp256k1; do zk_pkcs11-util key generate --type $type --label $type --pin 12345678; done
zk_pkcs11-util snippet nginx --label x25519
zk_pkcs11-util snippet ssh --label secp256k1 || echo refused
zk_pkcs11-util snippet ssh --label ed25519 || echo refused
zk_pkcs11-util snippet git --label ed25519 || echo refused
zk_pkcs11-util snippet go --label ed25519
zk_pkcs11-util snippet nginx --label ed25519
zk_pkcs11-util snippet nginx --label none
zk_pkcs11-util snippet lighttpd
`)
	if err == nil {
		t.Error("the last command ends well")
	}
	want := []string{
		"which a key of the type X25519 does not", "ssh has no keys of the type secp256k1", "refused",
		"10.0 of Debian 13", "refused", "10.0 of Debian 13", "refused", "has no keys of the type Ed25519",
		"# The key has no certificate on the token", "# libp11 before 0.4.17, as in Debian 12 and 13", `no key has the label "none"`, "name a program: apache",
	}
	if line, missing := (step{output: want}).missing(out); missing {
		t.Errorf("%q is not, or not in this place, in\n%s", line, out)
	}
}

// TestSnippetsOfUninitialisedTokens: without a label of the token no program finds it.
func TestSnippetsOfUninitialisedTokens(t *testing.T) {
	t.Parallel()
	s := snippetSandbox(t)
	out, err := s.shell("zk_pkcs11-util scm slots > slots\nzk_pkcs11-util snippet python --id $(zk_pkcs11-util key list --json | sed -n 's/.*\"id\": *\"\\([0-9a-f]*\\)\".*/\\1/p' | head -1)\n")
	if err == nil || !strings.Contains(out, "token init --label") || strings.Contains(out, "PyKCS11") {
		t.Errorf("%v:\n%s", err, out)
	}
}

// TestSnippetText: what is printed holds in any directory, says how the file of the PIN is made, and has of ssh what ssh needs.
func TestSnippetText(t *testing.T) {
	t.Parallel()
	s := snippetSandbox(t)
	out, err := s.shell(`
zk_pkcs11-util --init-token --slot 0 --label web --pin 12345678 --so-pin 87654321
zk_pkcs11-util key generate --label www --id 0001 --pin 12345678
for program in python go openssl-provider openssl-engine; do zk_pkcs11-util snippet $program --label www --dir . --module ./module.so; done
zk_pkcs11-util snippet ssh --label www
zk_pkcs11-util snippet git --label www
`)
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	pin, module := "(umask 077 && printf %s PIN > "+s.home()+"/www.pin)", s.home()+"/module.so"
	for _, part := range []string{pin, module} {
		if n := strings.Count(out, part); n != 4 {
			t.Errorf("%q is there %d times", part, n)
		}
	}
	_, ssh, _ := strings.Cut(out, "# ~/.ssh/config")
	for _, part := range []string{"PKCS11Provider ", "IdentityAgent none", "ZK_PKCS11_HOME", "signingKey"} {
		if !strings.Contains(ssh, part) {
			t.Errorf("%q is not in\n%s", part, ssh)
		}
	}
	if strings.Contains(ssh, "certificate") {
		t.Errorf("ssh has no use for a certificate:\n%s", ssh)
	}
}
