// SPDX-License-Identifier: Apache-2.0

package clients_test

import (
	"crypto/tls"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestNginxOverRestore: "token restore" puts a backup in the place of the token while clients connect. No worker ends,
// and all handshakes after a reload are good.
func TestNginxOverRestore(t *testing.T) {
	t.Parallel()
	harness.SoftOnly(t, "our own libzk_app_utils.so has its SCM in the state directory, which the restore exchanges")
	n := newNginx(t)
	n.start()
	handshakes(t, n.address, n.cert, 20)
	file := filepath.Join(t.TempDir(), "backup")
	n.run(n.util(), "token", "backup", file, "--pin", harness.UserPIN)
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
	for range 5 {
		n.run(n.util(), "token", "restore", file, "--pin", harness.UserPIN)
	}
	stop.Store(true)
	counts := <-ended
	t.Logf("%d handshakes meanwhile, %d failed", counts[0], counts[1])
	if counts[0] == 0 || strings.Contains(n.log(), "exited on signal") {
		t.Error("nothing was served, or a worker has crashed")
	}
	n.check(syscall.Kill(n.daemon(), syscall.SIGHUP))
	n.awaitOthers(workers)
	n.kill(workers)
	handshakes(t, n.address, n.cert, 20)
}
