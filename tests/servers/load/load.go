// SPDX-License-Identifier: Apache-2.0

// Package load is a client that makes a TLS server sign: every connection is a
// full handshake, since nothing of an earlier one is kept.
package load

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// timeout bounds one connection. A server that hangs is a failure, not a wait.
const timeout = 10 * time.Second

// Options say what is asked of the server.
type Options struct {
	Address    string
	Roots      *x509.CertPool // trusted; the server's certificate has to be for localhost
	Handshakes int
	Clients    int           // that connect at the same time
	Limit      time.Duration // after which no more are begun; 0 = none
	Done       func(int)     // called with the number of handshakes that are done; may be nil

	serverName string // "" = localhost
}

// Result is what came of it.
type Result struct {
	Handshakes int // that were made, or failed
	Failures   []error
	Rate       float64 // handshakes a second, without those that failed
}

// Run makes the handshakes, each by TLS 1.3 and followed by one request over
// HTTP, so that the server is known to have finished too.
func Run(o Options) Result {
	var (
		next, done atomic.Int64
		failures   = make(chan error, o.Handshakes)
		clients    sync.WaitGroup
		start      = time.Now()
	)
	for range o.Clients {
		clients.Go(func() {
			for next.Add(1) <= int64(o.Handshakes) && (o.Limit == 0 || time.Since(start) < o.Limit) {
				if err := o.connect(); err != nil {
					failures <- err
				}
				if n := int(done.Add(1)); o.Done != nil {
					o.Done(n)
				}
			}
		})
	}
	clients.Wait()
	elapsed := time.Since(start).Seconds()
	close(failures)
	r := Result{Handshakes: int(done.Load())}
	for err := range failures {
		r.Failures = append(r.Failures, err)
	}
	r.Rate = float64(r.Handshakes-len(r.Failures)) / elapsed
	return r
}

func (o Options) connect() error {
	dialer := &net.Dialer{Timeout: timeout}
	conn, err := tls.DialWithDialer(dialer, "tcp", o.Address, &tls.Config{
		RootCAs: o.Roots, ServerName: cmp.Or(o.serverName, "localhost"), MinVersion: tls.VersionTLS13,
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	if conn.ConnectionState().DidResume {
		return fmt.Errorf("%s resumed a session", o.Address)
	}
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	return ask(conn)
}

func ask(conn net.Conn) error {
	request, err := http.NewRequest(http.MethodGet, "https://localhost/page", nil)
	if err != nil {
		return err
	}
	request.Close = true
	if err := request.Write(conn); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		return fmt.Errorf("after the handshake: %w", err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", answer.Status)
	}
	return nil
}
