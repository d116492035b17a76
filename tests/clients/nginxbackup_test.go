// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"crypto/tls"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestNginxUnderBackup copies a backup over the state directory 20 times, as people do, while
// clients connect. No worker ends; handshakes go on or fail, and go on after a reload.
func TestNginxUnderBackup(t *testing.T) {
	t.Parallel()
	n := newNginx(t)
	n.start()
	handshakes(t, n.address, n.cert, 20)
	state, backup := filepath.Join(n.root, "state"), t.TempDir()
	n.run("cp", "-a", state+"/.", backup)
	workers := n.workers()
	var stop atomic.Bool
	ended := make(chan [2]int)
	go func() {
		config, counts := clientConfig(t, n.cert, tls.VersionTLS13), [2]int{}
		for !stop.Load() {
			if handshake(n.address, config) == nil {
				counts[0]++
			} else {
				counts[1]++
			}
		}
		ended <- counts
	}()
	for range 20 {
		n.run("cp", "-r", backup+"/.", state)
	}
	stop.Store(true)
	counts := <-ended
	t.Logf("%d handshakes meanwhile, %d failed", counts[0], counts[1])
	if strings.Contains(n.log(), "exited on signal") {
		t.Error("a worker has crashed")
	}
	n.check(syscall.Kill(n.daemon(), syscall.SIGHUP))
	n.awaitOthers(workers)
	n.kill(workers)
	handshakes(t, n.address, n.cert, 20)
}
