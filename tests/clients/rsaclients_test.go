// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestToolThreads has two threads of pkcs11-tool begin with the module at once, beside its main one, which is busy meanwhile: for
// threads that are not done when it is, pkcs11-tool waits 30 seconds.
func TestToolThreads(t *testing.T) {
	t.Parallel()
	k := newToken(t)
	out := k.user("--test-threads", "ILGISLT0", "--test-threads", "ILGISLT0", "--keypairgen", "--key-type", "rsa:3072")
	out = strings.ReplaceAll(out, "returning rv:CKR_OK", "returning rv = 0") // as pkcs11-tool 0.26 says it
	mustContain(t, out, "Test thread 0 returning rv = 0", "Test thread 1 returning rv = 0", "RSA 3072 bits")
}

// served starts a server and waits until it listens. It is stopped at the end of the test.
func (k *token) served(cmd *exec.Cmd, address string) {
	k.t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	ended, done := make(chan error, 1), make(chan struct{})
	go func() {
		ended <- cmd.Wait()
		close(done)
	}()
	k.t.Cleanup(func() {
		cmd.Process.Kill()
		<-done
		if k.t.Failed() {
			k.t.Logf("%s:\n%s", cmd.Path, out.String())
		}
	})
	await(k.t, address, ended)
}

// TestGnuTLSUsesRSA: p11tool makes an RSA key pair and brings one in, and gnutls-serv serves TLS with each.
func TestGnuTLSUsesRSA(t *testing.T) {
	t.Parallel()
	harness.Need(t, "certtool", "gnutls-serv")
	k := newGnuTLS(t)
	k.gnutls("--login", "--generate-privkey", "rsa", "--bits", "2048", "--label", "made", "--id", "a1", tokenURI)
	k.Run("openssl", "genrsa", "-out", k.path("key.pem"), "2048")
	k.gnutls("--login", "--write", "--load-privkey", k.path("key.pem"), "--label", "brought", "--id", "a2", tokenURI)
	k.Run("openssl", "rsa", "-in", k.path("key.pem"), "-pubout", "-out", k.path("public.pem"))
	k.gnutls("--login", "--write", "--load-pubkey", k.path("public.pem"), "--label", "brought", "--id", "a2", tokenURI)
	k.write("template", []byte("cn = localhost\ndns_name = localhost\nexpiration_days = 2\ntls_www_server\nsigning_key\n"))
	for _, id := range []string{"a1", "a2"} {
		key := tokenURI + ";id=%" + id + ";type=private"
		out := k.gnutls("--login", "--test-sign", key)
		if n := strings.Count(out, "... ok"); n != 3 {
			t.Errorf("key %s: want a signature and two verifications, got:\n%s", id, out)
		}
		cert := k.path(id + ".pem")
		k.Run("certtool", "--provider", k.module, "--generate-self-signed", "--template", k.path("template"), "--load-privkey", key,
			"--load-pubkey", tokenURI+";id=%"+id+";type=public", "--outfile", cert)
		port := harness.FreePort(t)
		address := fmt.Sprintf("127.0.0.1:%d", port)
		k.served(k.Command("gnutls-serv", "--provider", k.module, "--http", "--port", fmt.Sprint(port), "--x509certfile", cert, "--x509keyfile", key), address)
		handshakes(t, address, cert, 4)
	}
}

// providerConf gives pkcs11-provider to the programs of OpenSSL.
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
[req]
distinguished_name = name
[name]
`

// TestProviderServesWithRSA serves TLS with an RSA key of the token, by pkcs11-provider.
func TestProviderServesWithRSA(t *testing.T) {
	t.Parallel()
	provider := harness.Provider(t)
	k := newToken(t)
	k.generateRSA("a1")
	k.Set("OPENSSL_CONF", k.write("openssl.cnf", fmt.Appendf(nil, providerConf, provider, k.module)))
	cert := k.path("cert.pem")
	k.Run("openssl", "req", "-new", "-x509", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-key", uri("a1", "private"), "-out", cert)
	address := fmt.Sprintf("127.0.0.1:%d", harness.FreePort(t))
	k.served(k.Command("openssl", "s_server", "-key", uri("a1", "private"), "-cert", cert, "-accept", address, "-www"), address)
	handshakes(t, address, cert, 4)
}

// TestSSHWithRSA logs in with an RSA key of the token, by ssh itself and by ssh-agent.
func TestSSHWithRSA(t *testing.T) {
	t.Parallel()
	harness.Need(t, "ssh", "ssh-agent", "ssh-add", "ssh-keygen", "/usr/sbin/sshd")
	if os.Geteuid() != 0 {
		t.Skip("a server for ssh needs root")
	}
	k := newToken(t)
	k.generateRSA("a1")
	public := k.publicForSSH()
	port := harness.FreePort(t)
	k.sshd(port, public)
	k.Set("SSH_ASKPASS", k.script("askpass", "echo "+harness.UserPIN))
	k.Set("SSH_ASKPASS_REQUIRE", "force")
	config := k.write("config", fmt.Appendf(nil, "Host localhost\n\tPort %d\n\tUserKnownHostsFile %s\n\tIdentitiesOnly yes\n\tIdentityFile %s\n", port, k.path("known_hosts"), public))
	out := k.Run("ssh", "-F", config, "-o", "PKCS11Provider="+k.module, "localhost", "echo logged in by the module")
	mustContain(t, out, "logged in by the module")
	// By an agent, which ends with this script.
	agent := k.script("agent", fmt.Sprintf("ssh-add -s %s && ssh -F %s localhost 'echo logged in by the agent' && ssh-add -e %s", k.module, config, k.module))
	allowed, err := filepath.EvalSymlinks(k.module) // the agent compares where links lead to
	if err != nil {
		t.Fatal(err)
	}
	mustContain(t, k.Run("ssh-agent", "-P", allowed, agent), "Card added", "logged in by the agent", "Card removed")
}

// publicForSSH is a file with the public RSA key, as ssh-keygen tells it.
func (k *token) publicForSSH() string {
	k.t.Helper()
	for line := range strings.Lines(k.Run("ssh-keygen", "-D", k.module)) {
		if strings.HasPrefix(line, "ssh-rsa ") {
			return k.write("rsa.pub", []byte(line))
		}
	}
	k.t.Fatal("ssh-keygen shows no RSA key")
	return ""
}

// sshd starts a server that knows one key.
func (k *token) sshd(port int, public string) {
	k.t.Helper()
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		k.t.Fatal(err)
	}
	host := k.path("host_key")
	k.Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", host)
	hostPublic, err := os.ReadFile(host + ".pub")
	if err != nil {
		k.t.Fatal(err)
	}
	k.write("known_hosts", fmt.Appendf(nil, "[localhost]:%d %s", port, hostPublic))
	config := k.write("sshd_config", fmt.Appendf(nil, "ListenAddress 127.0.0.1:%d\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nStrictModes no\n",
		port, host, public))
	k.served(k.Command("/usr/sbin/sshd", "-D", "-e", "-f", config), fmt.Sprintf("127.0.0.1:%d", port))
}

// script is a program of the shell.
func (k *token) script(name, text string) string {
	k.t.Helper()
	file := k.write(name, []byte("#!/bin/sh\n"+text+"\n"))
	if err := os.Chmod(file, 0o700); err != nil {
		k.t.Fatal(err)
	}
	return file
}
