// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"testing"
	"time"
)

// startDeadline bounds how long other processes may take to start and to end.
const startDeadline = 20 * time.Second

// clientConfig trusts the certificate in file, which is for localhost, and speaks
// one version of TLS.
func clientConfig(t testing.TB, file string, version uint16) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("%s holds no certificate", file)
	}
	return &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: version, MaxVersion: version}
}

// handshake connects once; the certificate and the version are verified.
func handshake(address string, c *tls.Config) error {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: startDeadline}, "tcp", address, c)
	if err != nil {
		return err
	}
	defer conn.Close()
	if got := conn.ConnectionState().Version; got != c.MaxVersion {
		return fmt.Errorf("%s, want %s", tls.VersionName(got), tls.VersionName(c.MaxVersion))
	}
	return nil
}

// handshakes makes n connections, half of them with each version of TLS.
func handshakes(t testing.TB, address, cert string, n int) {
	t.Helper()
	configs := []*tls.Config{clientConfig(t, cert, tls.VersionTLS12), clientConfig(t, cert, tls.VersionTLS13)}
	for i := range n {
		if err := handshake(address, configs[i%2]); err != nil {
			t.Fatalf("handshake %d: %v", i+1, err)
		}
	}
}

// eventually polls until a condition of other processes holds, and reports whether it does in time.
func eventually(holds func() bool) bool {
	for deadline := time.Now().Add(startDeadline); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return true
		}
	}
	return false
}

// await waits until a server listens, as long as it runs.
func await(t testing.TB, address string, ended <-chan error) {
	t.Helper()
	listens := eventually(func() bool {
		select {
		case err := <-ended:
			t.Fatalf("the server ended: %v", err)
		default:
		}
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	if !listens {
		t.Fatalf("nothing listens on %s", address)
	}
}
