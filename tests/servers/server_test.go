// SPDX-License-Identifier: Apache-2.0

package servers_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"

	"libzk_pkcs11/tests/harness"
)

// server is a kind of server.
type server struct {
	name     string
	programs []string
	start    func(*site, key) *daemon
	reload   syscall.Signal // 0: it cannot reload its key
	busy     bool           // is made for many clients
}

func servers() []server {
	return []server{
		{"nginx", []string{"nginx"}, (*site).nginx, syscall.SIGHUP, true},
		{"Apache, mpm_event", []string{"apache2"}, apache("event"), syscall.SIGUSR1, true},
		{"Apache, mpm_prefork", []string{"apache2"}, apache("prefork"), syscall.SIGUSR1, true},
		{"stunnel", []string{"stunnel4"}, (*site).stunnel, syscall.SIGHUP, true},
		{"stunnel, in a chroot", []string{"stunnel4"}, (*site).stunnelInRoot, 0, false},
		{"haproxy, master and worker", []string{"haproxy"}, haproxyWith("-W", "-D"), syscall.SIGUSR2, true},
		{"haproxy, in the background", []string{"haproxy"}, haproxyWith("-D"), 0, true},
		{"haproxy, one process", []string{"haproxy"}, (*site).haproxyAlone, 0, true},
		{"haproxy behind stunnel", []string{"stunnel4", "haproxy"}, (*site).haproxyBehindStunnel, 0, true},
		{"openssl s_server", []string{"openssl"}, (*site).sServer, 0, false},
		{"gnutls-serv", []string{"gnutls-serv"}, (*site).gnutlsServ, 0, false},
	}
}

// configuration is what the templates of the servers are filled with.
type configuration struct {
	key
	Site, Address, User, Backend, MPM, Root string

	Workers    int
	Foreground bool
}

// configure writes a server's configuration file.
func (s *site) configure(name, text string, c configuration) string {
	s.t.Helper()
	var b strings.Builder
	c.Site, c.User = s.dir, worker
	s.check(template.Must(template.New(name).Parse(text)).Execute(&b, c))
	return s.write(name, b.String())
}

func (s *site) freeAddress() string { return fmt.Sprintf("127.0.0.1:%d", harness.FreePort(s.t)) }

// nginx takes the environment from its workers; SoftHSM2 needs one variable.
const nginxConf = `env SOFTHSM2_CONF;
user {{.User}};
worker_processes {{.Workers}};
daemon {{if .Foreground}}off{{else}}on{{end}};
pid {{.Site}}/nginx.pid;
error_log {{.Site}}/nginx.log notice;
events {}
http {
	access_log off;
	client_body_temp_path {{.Site}}/t1; proxy_temp_path {{.Site}}/t2; fastcgi_temp_path {{.Site}}/t3;
	uwsgi_temp_path {{.Site}}/t4; scgi_temp_path {{.Site}}/t5;
	server {
		listen {{.Address}} ssl;
		root {{.Site}}/htdocs;
		ssl_certificate {{.Cert}};
		ssl_certificate_key "{{if .URI}}engine:pkcs11:{{end}}{{.Name}}";
		ssl_protocols TLSv1.2 TLSv1.3;
	}
}
`

func (s *site) nginx(k key) *daemon { return s.nginxOf(k, 2, false) }

// nginxOf starts an nginx with a number of workers, as a daemon or as a child of
// the test.
func (s *site) nginxOf(k key, workers int, foreground bool) *daemon {
	start, address := s.daemonise, s.freeAddress()
	if foreground {
		start = s.foreground
	}
	conf := s.configure("nginx.conf", nginxConf, configuration{key: k, Address: address, Workers: workers, Foreground: foreground})
	d := start(k, "nginx.pid", address, "nginx", "-p", s.dir, "-e", s.path("nginx.log"), "-c", conf)
	if !eventually(func() bool { return len(d.workers()) == workers }) {
		s.t.Fatalf("nginx has workers %v, want %d", d.workers(), workers)
	}
	return d
}

const apacheConf = `ServerRoot {{.Site}}
LoadModule mpm_{{.MPM}}_module /usr/lib/apache2/modules/mod_mpm_{{.MPM}}.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
ServerName localhost
Listen {{.Address}}
PidFile apache.pid
ErrorLog apache.log
DefaultRuntimeDir {{.Site}}
User {{.User}}
Group {{.User}}
DocumentRoot {{.Site}}/htdocs
SSLEngine on
SSLCertificateFile {{.Cert}}
SSLCertificateKeyFile "{{.Name}}"
`

func apache(mpm string) func(*site, key) *daemon {
	return func(s *site, k key) *daemon {
		address := s.freeAddress()
		conf := s.configure("apache.conf", apacheConf, configuration{key: k, Address: address, MPM: mpm})
		return s.daemonise(k, "apache.pid", address, "apache2", "-f", conf, "-k", "start")
	}
}

const stunnelConf = `{{with .Root}}chroot = {{.}}{{end}}
pid = {{if not .Root}}{{.Site}}{{end}}/run/stunnel.pid
output = {{if not .Root}}{{.Site}}{{end}}/run/stunnel.log
syslog = no
setuid = {{.User}}
setgid = {{.User}}
{{if .URI}}engine = pkcs11{{end}}
[web]
{{if .URI}}engineId = pkcs11{{end}}
accept = {{.Address}}
connect = {{.Backend}}
cert = {{.Cert}}
key = {{.Name}}
`

func (s *site) stunnel(k key) *daemon { return s.stunnelTo(k, s.backend(), stunnelConf, "") }

func (s *site) stunnelTo(k key, backend, text, root string) *daemon {
	address := s.freeAddress()
	conf := s.configure("stunnel.conf", text, configuration{key: k, Address: address, Backend: backend, Root: root})
	pid := "run/stunnel.pid"
	if root != "" {
		pid = "root/" + pid
	}
	return s.daemonise(k, pid, address, "stunnel4", conf)
}

// stunnelInRoot gives the daemon a root directory without /proc and /etc. The
// state of the soft SCM lies in it, and has the same name from outside.
func (s *site) stunnelInRoot(k key) *daemon {
	root := s.newRoot()
	s.forWorkers("root/run")
	return s.stunnelTo(k, s.backend(), stunnelConf, root)
}

// newRoot makes a root directory without /proc and /etc, and moves the tokens into
// it.
func (s *site) newRoot() string {
	root := s.path("root")
	for _, tokens := range []string{s.home, s.path("softhsm")} {
		inside := root + tokens
		s.check(os.MkdirAll(filepath.Dir(inside), 0o755))
		if _, err := os.Lstat(tokens); err == nil {
			s.check(os.Rename(tokens, inside))
			s.check(os.Symlink(inside, tokens))
		}
	}
	return root
}

// backend is a server without TLS for those that only speak that.
func (s *site) backend() (address string) {
	b := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.t.Cleanup(b.Close)
	return b.Listener.Addr().String()
}

func (s *site) sServer(k key) *daemon {
	address := s.freeAddress()
	args := []string{"s_server", "-accept", address, "-HTTP", "-cert", k.Cert, "-key", k.Name(), "-quiet"}
	if k.URI != "" {
		args = append(args, "-engine", "pkcs11", "-keyform", "engine")
	}
	return s.foreground(k, "", address, "openssl", args...)
}

func (s *site) gnutlsServ(k key) *daemon {
	address := s.freeAddress()
	_, port, err := net.SplitHostPort(address)
	s.check(err)
	args := []string{"--http", "--port", port, "--x509certfile", k.Cert, "--x509keyfile", k.Name(), "--quiet"}
	if k.URI != "" {
		args = append(args, "--provider", k.module)
	}
	return s.foreground(k, "", address, "gnutls-serv", args...)
}
