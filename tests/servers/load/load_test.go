// SPDX-License-Identifier: Apache-2.0

package load

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// serve starts a server of Go's own; its certificate is for example.com.
func serve(t *testing.T, status int) (o Options, connections *atomic.Int64) {
	t.Helper()
	connections = new(atomic.Int64)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !r.TLS.DidResume {
			connections.Add(1)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return Options{Address: server.Listener.Addr().String(), Roots: roots, Handshakes: 20, Clients: 4}, connections
}

func TestEveryConnectionIsAFullHandshake(t *testing.T) {
	o, connections := serve(t, http.StatusOK)
	o.serverName = "example.com"
	var last atomic.Int64
	o.Done = func(n int) { last.Add(1) }
	r := Run(o)
	if len(r.Failures) != 0 || connections.Load() != 20 || last.Load() != 20 || r.Rate <= 0 {
		t.Errorf("got %+v, %d connections, %d told", r, connections.Load(), last.Load())
	}
}

func TestNoHandshakeIsBegunAfterTheLimit(t *testing.T) {
	for limit, want := range map[time.Duration]int{time.Nanosecond: 0, time.Hour: 20} {
		o, connections := serve(t, http.StatusOK)
		o.serverName, o.Limit = "example.com", limit
		if r := Run(o); r.Handshakes != want || int(connections.Load()) != want || len(r.Failures) != 0 {
			t.Errorf("%v: got %+v, %d connections, want %d", limit, r, connections.Load(), want)
		}
	}
}

func TestFailuresAreCounted(t *testing.T) {
	wrongName, _ := serve(t, http.StatusOK)
	wrongStatus, _ := serve(t, http.StatusTeapot)
	wrongStatus.serverName = "example.com"
	nobody := wrongName
	nobody.Address = "127.0.0.1:1"
	for name, o := range map[string]Options{"certificate": wrongName, "status": wrongStatus, "nobody": nobody} {
		if r := Run(o); len(r.Failures) != o.Handshakes {
			t.Errorf("%s: %d failures, want all %d", name, len(r.Failures), o.Handshakes)
		}
	}
}
