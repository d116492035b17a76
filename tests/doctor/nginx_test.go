// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

const nginxConf = `env ZK_PKCS11_CONF;
env ZK_PKCS11_HOME;
env ZK_PKCS11_BACKEND;
user www-data;
worker_processes 1;
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/nginx.log notice;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
	server {
		listen 127.0.0.1:%[2]d ssl;
		ssl_certificate %[1]s/cert.pem;
		ssl_certificate_key "engine:pkcs11:pkcs11:object=www;type=private;pin-value=12345678";
	}
}
`

// nginx starts one whose workers are those of www-data.
func (p *patient) nginx(port int) *exec.Cmd {
	p.t.Helper()
	file := filepath.Join(p.dir, "nginx.conf")
	for name, text := range map[string]string{file: fmt.Sprintf(nginxConf, p.dir, port), filepath.Join(p.dir, "openssl.cnf"): harness.EngineConf(harness.Module(p.t))} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
	cmd := p.command(`export OPENSSL_CONF=$DIR/openssl.cnf; exec nginx -p "$DIR" -e "$DIR/nginx.log" -c "$DIR/nginx.conf"`)
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { endNginx(cmd) })
	return cmd
}

// endNginx ends it with its worker, which may stand still in a handshake and hear no signal.
func endNginx(master *exec.Cmd) {
	if master.ProcessState != nil {
		return
	}
	pid, err := strconv.Atoi(workerOf(master))
	_ = master.Process.Kill()
	if err == nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = master.Wait() // it was killed
}

// workerOf is the process of nginx that makes handshakes, "" when there is none.
func workerOf(master *exec.Cmd) string {
	out, _ := exec.Command("pgrep", "-P", strconv.Itoa(master.Process.Pid)).Output() // which fails where there is none
	pid, _, _ := strings.Cut(string(out), "\n")
	return pid
}

// greet makes a handshake, once somebody listens. One that nginx never answers fails after patience.
func greet(t *testing.T, port int, patience time.Duration) error {
	t.Helper()
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: patience}, Config: &tls.Config{InsecureSkipVerify: true}} // the certificate is its own
	for range 600 {
		c, err := dialer.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return c.Close()
		}
		if !strings.Contains(err.Error(), "connection refused") {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("nobody listens")
}

// TestNginx: a group that is not that of the settings stops every handshake of an nginx that has started well. doctor says so, of the
// directory and of the worker, and nginx works after --fix.
func TestNginx(t *testing.T) {
	harness.Need(t, "nginx", "openssl", "pgrep")
	if os.Geteuid() != 0 {
		t.Skip("nginx takes root to have workers of another user")
	}
	if err := exec.Command("openssl", "engine", "pkcs11").Run(); err != nil {
		t.Skip("OpenSSL has no engine pkcs11 (see scripts/test.sh for the packages)")
	}
	makeTemplate(t)
	p := newPatient(t, "state_group = \"www-data\"\n")
	own := strings.ReplaceAll(daemonsOwn, "daemon", "www-data")
	p.sh(`zk_pkcs11-util --use-zkslot 0 --label www --id 77 --pin 12345678; zk_pkcs11-util key self-cert --label www --subject CN=localhost --pin 12345678 --out "$DIR/cert.pem"; ` +
		own + `; chgrp daemon "$STATE"; chmod 2770 "$STATE"`)
	port := harness.FreePort(t)
	master := p.nginx(port)
	if err := greet(t, port, 3*time.Second); err == nil {
		t.Fatal("nginx works although its workers may not use the token")
	}
	p.options = "--pid " + workerOf(master)
	r := p.examine("", "")
	if _, told := r.find("state-group-differs"); !told || r.Status != 2 {
		t.Errorf("%+v", r)
	}
	if f, told := r.find("process-shut-out"); !told || !strings.Contains(f.What, "www-data") {
		t.Errorf("%+v", r)
	}
	if r = p.examine("", "--fix"); r.Status != 0 {
		t.Errorf("after --fix: %+v", r)
	}
	endNginx(master)
	port = harness.FreePort(t) // nobody connects to what is left of the first
	p.nginx(port)
	if err := greet(t, port, time.Minute); err != nil {
		t.Errorf("after --fix: %v\n%s", err, p.sh(`cat "$DIR/nginx.log"`))
	}
}
