// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness"
)

// fleet is a host with an SCM and two that serve TLS with its key.
type fleet struct {
	t       *testing.T
	home    *harness.Home // of the SCM
	scm     *host
	servers []*host
	roots   *x509.CertPool
	page    string
	soft    string // lines of settings of the soft SCM
	gate    string // what stands before p11-kit's server in the forced command
	turns   string // its file
}

const (
	sshPort = 22
	tlsPort = 443
)

// handshakes is how many each server has to answer where nothing is cut.
func handshakes() int {
	if os.Getenv("ZK_SOAK") != "" {
		return 1000
	}
	return 60
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	needHosts(t)
	return (&fleet{t: t}).start()
}

// start makes the hosts, and starts what they have.
func (f *fleet) start() *fleet {
	t := f.t
	t.Helper()
	page, err := os.ReadFile(filepath.Join(harness.Root(t), "docs/fleet.md"))
	if err != nil {
		t.Fatal(err)
	}
	f.home, f.page, f.roots = harness.NewHome(t), string(page), x509.NewCertPool()
	f.scm = newHost(t, "s", "")
	f.supervise()
	for i, name := range []string{"a", "b"} {
		h := newHost(t, name, fmt.Sprintf("10.117.%d.2", i))
		link(h, f.scm, f.gateway(i))
		f.servers = append(f.servers, h)
	}
	f.makeKeys()
	f.startSCM()
	for i := range f.servers {
		f.startServer(i)
	}
	return f
}

// gateway is the address of the SCM's host for a server.
func (f *fleet) gateway(i int) string { return fmt.Sprintf("10.117.%d.1", i) }

// block is what the page has in a block of a language.
func (f *fleet) block(language string) string {
	f.t.Helper()
	m := regexp.MustCompile("(?ms)^```" + language + "\n(.*?)^```$").FindStringSubmatch(f.page)
	if m == nil {
		f.t.Fatalf("the page has no block %q", language)
	}
	return m[1]
}

// makeKeys makes the keys of the hosts, and writes who may do what on the SCM's.
func (f *fleet) makeKeys() {
	f.t.Helper()
	run(f.t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(f.scm.folder, "hostkey"))
	line := regexp.MustCompile(`(?m)^restrict,.*command="(.*)" ssh-ed25519`).FindStringSubmatch(f.page)
	if line == nil {
		f.t.Fatal("the page has no line of authorized_keys")
	}
	command := strings.NewReplacer("/usr/lib/libzk_pkcs11.so", harness.Module(f.t), "exec ", "exec "+f.gate).Replace(line[1])
	forced := f.scm.write("forced", "export ZK_PKCS11_HOME='"+f.home.Dir+"' ZK_PKCS11_CONF='"+f.settings()+"' ZK_PKCS11_BACKEND=soft\n"+command+"\n")
	var allowed strings.Builder
	for _, h := range f.servers {
		run(f.t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(h.folder, "key"))
		fmt.Fprintf(&allowed, "restrict,from=%q,command=\"sh %s\" %s", h.address, forced, f.read(h, "key.pub"))
	}
	f.scm.write("authorized_keys", allowed.String())
	f.scm.write("sshd_config", fmt.Sprintf("Port %d\nHostKey %s/hostkey\nAuthorizedKeysFile %[2]s/authorized_keys\nStrictModes no\nPidFile none\n"+
		"PermitRootLogin forced-commands-only\nPasswordAuthentication no\nUsePAM no\n", sshPort, f.scm.folder))
}

func (f *fleet) read(h *host, name string) string {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(h.folder, name))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

// startSCM starts what the SCM's host has.
func (f *fleet) startSCM() {
	f.t.Helper()
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		f.t.Fatal(err)
	}
	f.scm.start(os.Environ(), "/usr/sbin/sshd", "-D", "-e", "-f", filepath.Join(f.scm.folder, "sshd_config"))
}

const nginxConf = `user root;
worker_processes 2;
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log notice;
env P11_KIT_SERVER_ADDRESS;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
	server {
		listen %[2]s:%[3]d ssl;
		ssl_certificate %[1]s/cert.pem;
		ssl_certificate_key "engine:pkcs11:%[4]s";
		ssl_protocols TLSv1.2 TLSv1.3;
		return 200 "hello\n";
	}
}
`

// keyURI names the key, and the file with the PIN.
func (f *fleet) keyURI() string {
	return fmt.Sprintf("pkcs11:token=%s;id=%%00;type=private;pin-source=%s", harness.Label, f.scm.write("pin", harness.UserPIN))
}

// startServer starts the way to the SCM on a host, and nginx, as the page has them.
func (f *fleet) startServer(i int) {
	f.t.Helper()
	h := f.servers[i]
	config := strings.NewReplacer("192.0.2.1", f.gateway(i), "zk-fleet", "root", "/etc/zk_pkcs11-remote", h.folder).Replace(f.block("ssh-config"))
	h.write("ssh_config", config)
	h.write("known_hosts", f.gateway(i)+" "+f.read(f.scm, "hostkey.pub"))
	h.write("lost", strings.ReplaceAll(f.block("lost"), "/run/nginx.pid", h.folder+"/nginx.pid"))
	connect := h.write("connect", f.block("connect"))
	h.start(os.Environ(), "systemd-socket-activate", "--accept", "--inetd", "--setenv", "PATH", "--listen", h.socket(), "/bin/sh", connect)
	await(f.t, h.socket())
	conf := h.write("openssl.cnf", harness.EngineConf(clientLibrary(f.t)))
	environment := append(os.Environ(), "OPENSSL_CONF="+conf, "P11_KIT_SERVER_ADDRESS=unix:path="+h.socket())
	f.certify(h)
	h.write("nginx.conf", fmt.Sprintf(nginxConf, h.folder, h.address, tlsPort, f.keyURI()))
	h.start(environment, "nginx", "-p", h.folder, "-c", filepath.Join(h.folder, "nginx.conf"))
}

func (h *host) socket() string { return filepath.Join(h.folder, "p11.sock") }

// certify makes the certificate of a host where the SCM is.
func (f *fleet) certify(h *host) {
	f.t.Helper()
	conf := f.scm.write("openssl.cnf", harness.EngineConf(harness.Module(f.t)))
	cmd := f.home.Command("openssl", "req", "-new", "-x509", "-engine", "pkcs11", "-keyform", "engine", "-key", f.keyURI(),
		"-subj", "/CN="+h.address, "-addext", "subjectAltName=IP:"+h.address, "-out", filepath.Join(h.folder, "cert.pem"))
	cmd.Env = append(cmd.Env, "OPENSSL_CONF="+conf)
	if out, err := cmd.CombinedOutput(); err != nil {
		f.t.Fatalf("%v\n%s", err, out)
	}
	f.roots.AppendCertsFromPEM([]byte(f.read(h, "cert.pem")))
}

// shake makes a whole handshake with a server, whose signature has to be by the key of its certificate.
func (f *fleet) shake(h *host) error {
	c, err := h.dial(tlsPort)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	return tls.Client(c, &tls.Config{RootCAs: f.roots, ServerName: h.address}).Handshake()
}

// awaitWhole waits until a server answers ten times in a row, and returns how long the first of these took to come.
func (f *fleet) awaitWhole(h *host) time.Duration {
	f.t.Helper()
	start, well, first := time.Now(), 0, time.Duration(0)
	var err error
	for time.Since(start) < time.Minute {
		if err = f.shake(h); err != nil {
			well = 0
			time.Sleep(time.Second / 10)
			continue
		}
		if well++; well == 1 {
			first = time.Since(start)
		}
		if well == 10 {
			return first
		}
	}
	f.t.Fatalf("%s does not come back: %v\n%s\n%s", h.address, err, f.read(h, "error.log"), f.read(h, "systemd-socket-activate.log"))
	return 0
}

// all makes handshakes with hosts at a time, each of which has to be well.
func (f *fleet) all(n int, hosts ...*host) {
	var wait sync.WaitGroup
	for _, h := range hosts {
		wait.Go(func() { f.several(n, h) })
	}
	wait.Wait()
}

func (f *fleet) several(n int, h *host) {
	failed := 0
	var last error
	for range n {
		if err := f.shake(h); err != nil {
			failed, last = failed+1, err
		}
	}
	f.t.Logf("%s: %d handshakes, %d failed", h.address, n, failed)
	if failed > 0 {
		f.t.Errorf("%s: %v", h.address, last)
	}
}

// TestFleet: two servers on two hosts sign by the SCM of a third. A link is cut and comes back, the SCM's host is started anew.
func TestFleet(t *testing.T) {
	f := newFleet(t)
	a, b := f.servers[0], f.servers[1]
	f.awaitWhole(a)
	f.awaitWhole(b)
	f.all(handshakes(), a, b)
	f.cut(a, b)
	f.restart()
	f.all(handshakes(), a, b)
	f.latencies(a)
	f.lookForPIN()
	f.selfDestruct()
}

// cut takes the link of a host away for a while. Its handshakes wait, and those of the other host go on.
func (f *fleet) cut(a, b *host) {
	f.t.Helper()
	f.scm.ip("link", "set", f.scm.endTo(a), "down")
	waiting := make(chan error)
	go func() { waiting <- f.shake(a) }()
	f.all(handshakes()/4, b)
	select {
	case err := <-waiting:
		f.t.Errorf("a handshake without a link to the SCM: %v", err)
	case <-time.After(2 * time.Second):
	}
	f.scm.ip("link", "set", f.scm.endTo(a), "up")
	start := time.Now()
	if err := <-waiting; err != nil {
		f.t.Errorf("the handshake that waited for the link: %v", err)
	}
	f.t.Logf("the link is back: the handshake that waited went on after %v", time.Since(start).Round(time.Millisecond))
	f.all(handshakes()/4, a, b)
}

// restart ends all that runs on the SCM's host, and starts it again.
func (f *fleet) restart() {
	f.t.Helper()
	f.scm.endAll()
	for _, h := range f.servers {
		f.t.Logf("the SCM's host is away: %s answers %v", h.address, f.shake(h))
	}
	time.Sleep(2 * time.Second)
	f.startSCM()
	for _, h := range f.servers {
		f.t.Logf("the SCM's host is back: %s serves again after %v", h.address, f.awaitWhole(h).Round(time.Millisecond))
	}
}

// latencies prints how long a signature takes where the SCM is, and on another host.
func (f *fleet) latencies(h *host) {
	f.t.Helper()
	f.home.Export(f.t)
	near := median(login(f.t, harness.Module(f.t)))
	f.t.Setenv("P11_KIT_SERVER_ADDRESS", "unix:path="+h.socket())
	far := median(login(f.t, clientLibrary(f.t)))
	f.t.Logf("a signature by ECDSA, median of %d: %v where the SCM is, %v on another host", samples, near, far)
}

const samples = 200

func median(c *client) time.Duration {
	c.t.Helper()
	key := c.firstKey(pkcs11.CKK_EC)
	var took []time.Duration
	for range samples {
		start := time.Now()
		c.must(c.sign(key))
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took[samples/2].Round(time.Microsecond)
}
