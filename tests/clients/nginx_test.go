// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// nginx is a running nginx, with a folder of its own.
type nginx struct {
	*sandbox
	address, cert string
}

const nginxConf = `user www-data;
worker_processes 2;
pid nginx.pid;
error_log error.log notice;
events {}
http {
	access_log off;
	client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
	server {
		listen %s ssl;
		ssl_certificate cert.pem;
		ssl_certificate_key "engine:pkcs11:%s";
		ssl_protocols TLSv1.2 TLSv1.3;
		return 200 "worker $pid\n";
	}
}
`

// newNginx prepares an nginx as Debian has it: started by root, a daemon with a
// master and workers that are www-data, without a word about processes in its
// options.
func newNginx(t *testing.T) *nginx {
	t.Helper()
	harness.Need(t, "nginx")
	needEngine(t)
	if os.Geteuid() != 0 {
		t.Skip("nginx with workers of another user needs root")
	}
	n := &nginx{sandbox: newRootSandbox(t), address: fmt.Sprintf("127.0.0.1:%d", harness.FreePort(t))}
	n.cert = filepath.Join(n.home(), "cert.pem")
	n.configure(fmt.Sprintf("state = %q\nstate_group = \"www-data\"\n", filepath.Join(n.root, "state")))
	conf := filepath.Join(n.root, "etc/openssl.cnf")
	n.check(os.WriteFile(conf, []byte(harness.EngineConf(n.module())), 0o644))
	n.env = append(n.env, "OPENSSL_CONF="+conf)
	return n
}

// start makes a token and a certificate, and starts nginx.
func (n *nginx) start() {
	n.t.Helper()
	n.initToken()
	n.run("openssl", "req", "-new", "-x509", "-engine", "pkcs11", "-keyform", "engine", "-key", uri("00", "private"),
		"-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", n.cert)
	conf := fmt.Sprintf(nginxConf, n.address, uri("00", "private"))
	n.check(os.WriteFile(filepath.Join(n.home(), "nginx.conf"), []byte(conf), 0o644))
	n.run("nginx", "-p", n.home(), "-c", "nginx.conf")
	n.t.Cleanup(n.stop)
	n.awaitWorkers()
}

// awaitWorkers waits for both workers, because nginx returns before its daemon
// has forked them.
func (n *nginx) awaitWorkers() {
	n.t.Helper()
	if !eventually(func() bool { return len(n.workers()) == 2 }) {
		n.t.Fatalf("workers: %v, want 2", n.workers())
	}
}

func (n *nginx) log() string {
	log, err := os.ReadFile(filepath.Join(n.home(), "error.log"))
	if err != nil {
		return err.Error()
	}
	return string(log)
}

// stop ends nginx, and its workers with it.
func (n *nginx) stop() {
	if n.t.Failed() {
		n.t.Logf("nginx:\n%s", n.log())
	}
	n.endDaemons()
}

// workers are the children of the master, none while there is no master.
func (n *nginx) workers() (pids []int) {
	pid := n.daemon()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	for _, word := range strings.Fields(string(text)) {
		child, err := strconv.Atoi(word)
		n.check(err)
		pids = append(pids, child)
	}
	return pids
}

func TestNginx(t *testing.T) {
	t.Parallel()
	n := newNginx(t)
	n.start()
	handshakes(t, n.address, n.cert, 50)
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() { handshakes(t, n.address, n.cert, 50) })
	}
	clients.Wait()
}

// TestNginxWorkersKeepTheEnvironment names the state directory by a variable,
// which nginx takes away from its workers.
func TestNginxWorkersKeepTheEnvironment(t *testing.T) {
	t.Parallel()
	n := newNginx(t)
	n.configure("state = \"/nonexistent\"\nstate_group = \"www-data\"\n")
	n.env = append(n.env, "ZK_PKCS11_HOME="+filepath.Join(n.root, "state"))
	n.start()
	handshakes(t, n.address, n.cert, 10)
}

func TestNginxReloads(t *testing.T) {
	t.Parallel()
	n := newNginx(t)
	n.start()
	for range 3 {
		handshakes(t, n.address, n.cert, 10)
		before := n.workers()
		n.check(syscall.Kill(n.daemon(), syscall.SIGHUP))
		for _, pid := range before {
			if !eventually(func() bool { return gone(pid) }) {
				t.Fatalf("worker %d is still there after the reload", pid)
			}
		}
	}
	handshakes(t, n.address, n.cert, 10)
}

// TestNginxServesAfterAbsence takes the SCM away before, or after, the first
// handshakes. libp11 0.4.12 then waits for ever, or keeps to sessions that have ended;
// what docs/clients/nginx.md says to do about it has to help.
func TestNginxServesAfterAbsence(t *testing.T) {
	t.Parallel()
	for _, served := range []int{0, 20} {
		t.Run(fmt.Sprintf("after %d handshakes", served), func(t *testing.T) {
			t.Parallel()
			n := newNginx(t)
			n.configure(fmt.Sprintf(impatientConf, filepath.Join(n.root, "state")))
			n.start()
			handshakes(t, n.address, n.cert, served)
			n.unbind()
			n.failHandshake()
			n.unbind("--undo")
			before := n.workers()
			n.check(syscall.Kill(n.daemon(), syscall.SIGHUP))
			n.awaitOthers(before)
			n.kill(before)
			handshakes(t, n.address, n.cert, 20)
		})
	}
}

// impatientConf does not wait for an SCM that may be booting.
const impatientConf = `state = %q
state_group = "www-data"
log.level = "info"
zymbit.boot_wait = 0
`

// unbind parts the soft SCM from its host, whatever it is reached by.
func (n *nginx) unbind(args ...string) {
	n.t.Helper()
	n.run("env", append([]string{"ZK_PKCS11_BACKEND=soft", n.util(), "scm", "inject", "unbind"}, args...)...)
}

// kill ends workers, and waits until they are gone and take no connection any more.
func (n *nginx) kill(workers []int) {
	n.t.Helper()
	for _, pid := range workers {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		if !eventually(func() bool { return gone(pid) }) {
			n.t.Fatalf("worker %d is still there", pid)
		}
	}
}

// failHandshake connects until the module has logged what the worker misses.
func (n *nginx) failHandshake() {
	n.t.Helper()
	conn, err := net.Dial("tcp", n.address)
	n.check(err)
	defer conn.Close()
	client := tls.Client(conn, clientConfig(n.t, n.cert, tls.VersionTLS13))
	ended := make(chan error, 1)
	go func() { ended <- client.Handshake() }()
	if !eventually(func() bool { return strings.Contains(n.log(), "does not answer") }) {
		n.t.Fatalf("the module has logged nothing:\n%s", n.log())
	}
	conn.Close()
	if <-ended == nil {
		n.t.Error("a handshake without the SCM")
	}
}

// awaitOthers waits until there are two workers that are not among those before.
func (n *nginx) awaitOthers(before []int) {
	n.t.Helper()
	old := func(pid int) bool { return slices.Contains(before, pid) }
	if !eventually(func() bool { return len(slices.DeleteFunc(n.workers(), old)) == 2 }) {
		n.t.Fatalf("workers: %v, before the reload %v", n.workers(), before)
	}
}
