// SPDX-License-Identifier: Apache-2.0

// Package tls has Go's crypto/tls use keys in key slots on both ends of a
// connection, through crypto11.
package tls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"testing"

	"golang.org/x/sync/errgroup"
)

const (
	handshakes = 200
	goroutines = 8
)

// TestMutualTLS connects with TLS 1.2 and 1.3 in turns, always by a full
// handshake, in which both ends sign with their slots.
func TestMutualTLS(t *testing.T) {
	token := open(t)
	ca := token.authority(t)
	server := ca.issue(t, token.permanent(t, 0), "localhost", x509.ExtKeyUsageServerAuth)
	client := ca.issue(t, token.generate(t, "client"), "client", x509.ExtKeyUsageClientAuth)
	address := serve(t, &tls.Config{
		Certificates: []tls.Certificate{server}, ClientCAs: ca.pool(),
		ClientAuth: tls.RequireAndVerifyClientCert, SessionTicketsDisabled: true,
	})
	var group errgroup.Group
	for g := range goroutines {
		group.Go(func() error {
			for i := range handshakes / goroutines {
				version := uint16(tls.VersionTLS12 + (g+i)%2)
				config := &tls.Config{
					Certificates: []tls.Certificate{client}, RootCAs: ca.pool(), ServerName: "localhost",
					MinVersion: version, MaxVersion: version,
				}
				if err := visit(address, config); err != nil {
					return fmt.Errorf("goroutine %d, handshake %d: %w", g, i, err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// TestUnknownClient has a client without a certificate turned away.
func TestUnknownClient(t *testing.T) {
	token := open(t)
	ca := token.authority(t)
	address := serve(t, &tls.Config{
		Certificates: []tls.Certificate{ca.issue(t, token.permanent(t, 0), "localhost", x509.ExtKeyUsageServerAuth)},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: ca.pool(),
	})
	if visit(address, &tls.Config{RootCAs: ca.pool(), ServerName: "localhost"}) == nil {
		t.Error("a client without a certificate was served")
	}
}

// serve answers every client with the name in its certificate, until the test
// ends.
func serve(t *testing.T, config *tls.Config) string {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	var open errgroup.Group
	open.Go(func() error {
		for {
			c, err := listener.Accept()
			if err != nil {
				return nil // the listener was closed
			}
			open.Go(func() error { return greet(c.(*tls.Conn)) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		_ = open.Wait() // what went wrong, the clients tell
	})
	return listener.Addr().String()
}

func greet(c *tls.Conn) error {
	defer c.Close()
	if err := c.Handshake(); err != nil {
		return err
	}
	_, err := io.WriteString(c, c.ConnectionState().PeerCertificates[0].Subject.CommonName)
	return err
}

// visit connects once and checks whom the server took it for.
func visit(address string, config *tls.Config) error {
	c, err := tls.Dial("tcp", address, config)
	if err != nil {
		return err
	}
	defer c.Close()
	name, err := io.ReadAll(c)
	switch {
	case err != nil:
		return err
	case string(name) != "client":
		return fmt.Errorf("the server greets %q", name)
	case c.ConnectionState().DidResume:
		return errors.New("the handshake was a resumption")
	}
	return nil
}
