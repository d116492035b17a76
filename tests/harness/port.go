// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports of tests are taken from a range of their own, below those that Linux gives
// to connections (ip_local_port_range, from 32768 by default). A port out of that
// range can be taken between the moment it is found free and the moment a server
// listens on it: by a connection of any process, also by that of a test which asks
// whether the server is there, which then is connected with itself.
const (
	firstPort = 20000
	lastPort  = 32000
	portTries = 100
)

// freePort finds a port on which nothing listens, and that no other test has.
func freePort(t testing.TB) (int, error) {
	for range portTries {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		claim, err := net.Listen("unix", fmt.Sprintf("@libzk_pkcs11-test-port-%d", port))
		if err != nil {
			continue // another test has it
		}
		if isFree(port) {
			t.Cleanup(func() { claim.Close() })
			return port, nil
		}
		claim.Close()
	}
	return 0, errors.New("all that were tried are taken")
}

// isFree reports whether a server could listen on a port.
func isFree(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	l.Close()
	return true
}
