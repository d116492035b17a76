// SPDX-License-Identifier: Apache-2.0

package servers_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

// TestNginxStartsDeadWorkersAgain kills all workers at once, again and again. The
// master learns of them by signals, which it expects between two instructions of
// its own: a thread of the module that takes one of them leaves workers missing.
// The key in a file is the control; no module is in that configuration.
func TestNginxStartsDeadWorkersAgain(t *testing.T) {
	harness.Need(t, "nginx")
	for _, k := range keys {
		if k.where == "SoftHSM2" {
			continue
		}
		for name, foreground := range map[string]bool{"daemon on": false, "daemon off": true} {
			t.Run(name+"/"+k.where, func(t *testing.T) {
				if foreground && k.where == "libzk_pkcs11" {
					harness.SoftOnly(t, harness.SecondRuntime) // whose threads take signals
				}
				s := newSite(t)
				made := k.make(s)
				d := s.nginxOf(made, crew, foreground)
				rounds, missing := size(10, 100), 0
				for range rounds {
					if !d.replaceWorkers() {
						missing++
					}
				}
				d.awaitService(made)
				t.Logf("nginx, %s, key in %s: workers missing after %d of %d rounds", name, k.where, missing, rounds)
				if missing != 0 {
					t.Errorf("workers were missing after %d of %d rounds", missing, rounds)
				}
			})
		}
	}
}

// crew is how many workers are killed at once.
const crew = 8

// replaceWorkers kills the workers, and reports whether the master then had as many
// others without being asked a second time.
func (d *daemon) replaceWorkers() bool {
	d.t.Helper()
	before := d.workers()
	for _, pid := range before {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			d.t.Fatal(err)
		}
	}
	if d.hasReplaced(before, respite) {
		return true
	}
	d.signal(syscall.SIGCHLD)
	if !d.hasReplaced(before, patience) {
		d.t.Fatalf("of the workers %v there are %v", before, d.workers())
	}
	return false
}

// respite is how long a master may take to start its workers again, on a machine
// that is busy.
const respite = 10 * time.Second

// hasReplaced waits for a whole crew without any of the workers before, and reports whether there is one in time.
func (d *daemon) hasReplaced(before []int, limit time.Duration) bool {
	return within(limit, func() bool {
		now := d.workers()
		old := slices.ContainsFunc(now, func(pid int) bool { return slices.Contains(before, pid) })
		return len(now) == crew && !old
	})
}
