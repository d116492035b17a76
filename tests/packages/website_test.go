// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"crypto/x509"
	"fmt"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/servers/load"
)

// Scripts of the website. The key is not one of those that each SCM has: an upgrade that loses it, or takes another one,
// is seen. They need KEY and PORT.
const (
	makeKey = `p11() { pkcs11-tool --module /usr/lib/libzk_pkcs11.so --slot 0 "$@"; }
p11 --init-token --label live --so-pin 87654321
p11 --init-pin --login --login-type so --so-pin 87654321 --pin 12345678
p11 --login --pin 12345678 --keypairgen --key-type EC:prime256v1 --label www --id a1
`
	makeCertificate = `mkdir /www
cat > /www/openssl.cnf <<'END'
openssl_conf = init
[init]
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
MODULE_PATH = /usr/lib/libzk_pkcs11.so
init = 1
[req]
distinguished_name = name
[name]
END
OPENSSL_CONF=/www/openssl.cnf openssl req -engine pkcs11 -keyform engine -key "$KEY" -new -x509 -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE -out /www/web.pem
`
	configureNginx = `cat > /www/nginx.conf <<END
user www-data;
worker_processes 2;
pid /www/nginx.pid;
error_log /www/error.log notice;
events {}
http {
	access_log off;
	server {
		listen 127.0.0.1:$PORT ssl;
		ssl_certificate /www/web.pem;
		ssl_certificate_key "engine:pkcs11:$KEY";
		ssl_protocols TLSv1.2 TLSv1.3;
		return 200 "hello\n";
	}
}
END
`
	startNginx = "export OPENSSL_CONF=/www/openssl.cnf\nnginx -c /www/nginx.conf\n"
	// Both wait for processes to end: the workers of before, and the whole server.
	reloadNginx = `master=$(cat /www/nginx.pid)
before=$(pgrep -P "$master")
kill -HUP "$master"
for pid in $before; do timeout 60 tail --pid="$pid" -s 0.1 -f /dev/null; done
`
	stopNginx = `master=$(cat /www/nginx.pid)
kill -QUIT "$master"
timeout 60 tail --pid="$master" -s 0.1 -f /dev/null
`
)

// website is an nginx in a machine with a key in a token, and clients outside of it.
type website struct {
	*shell
	address string
	roots   *x509.CertPool
}

// serve makes a token and a key, and starts nginx with it.
func (s *shell) serve() *website {
	s.t.Helper()
	port := harness.FreePort(s.t)
	s.run(fmt.Sprintf("KEY='pkcs11:token=live;id=%%a1;type=private;pin-value=12345678' PORT=%d\n", port) +
		makeKey + makeCertificate + configureNginx + startNginx)
	w := &website{s, fmt.Sprintf("127.0.0.1:%d", port), x509.NewCertPool()}
	if !w.roots.AppendCertsFromPEM([]byte(s.run("cat /www/web.pem"))) {
		s.t.Fatal("there is no certificate")
	}
	return w
}

// ask makes full handshakes until it is told to stop, and some at least. Each has to be made with the key of the certificate.
func (w *website) ask(stop <-chan struct{}) (total load.Result) {
	for {
		r := load.Run(load.Options{Address: w.address, Roots: w.roots, Handshakes: 40, Clients: 4})
		total.Handshakes += r.Handshakes
		total.Failures = append(total.Failures, r.Failures...)
		select {
		case <-stop:
			return total
		default:
		}
	}
}

// during runs a script, and handshakes meanwhile, none of which may fail. It returns what the script says.
func (w *website) during(what, script string) string {
	w.t.Helper()
	stop, results := make(chan struct{}), make(chan load.Result, 1)
	go func() { results <- w.ask(stop) }()
	said := w.runUntil(script, stop)
	r := <-results
	w.t.Logf("%s: %d handshakes, %d failed", what, r.Handshakes, len(r.Failures))
	if len(r.Failures) > 0 {
		w.t.Errorf("%s: %v\n%s", what, r.Failures[0], w.run("tail -n 20 /www/error.log"))
	}
	return said
}

// runUntil runs a script, and stops the clients however it ends.
func (w *website) runUntil(script string, stop chan<- struct{}) string {
	w.t.Helper()
	defer close(stop)
	return w.run(script)
}
