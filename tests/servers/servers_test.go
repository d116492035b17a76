// SPDX-License-Identifier: Apache-2.0

package servers_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
	"libzk_pkcs11/tests/servers/load"
)

// clients is how many connect at the same time.
const clients = 8

// soak reports whether to take the time for numbers that are enough for a release.
func soak() bool { return os.Getenv("ZK_SOAK") != "" }

// size chooses between the short and the long form of a test.
func size(short, long int) int {
	if soak() {
		return long
	}
	return short
}

// ours is where the keys of this module are.
const ours = "libzk_pkcs11"

// keys are the keys that each server is run with.
var keys = []struct {
	where string
	make  func(*site) key
}{{ours, (*site).slotKey}, {"file", (*site).fileKey}, {"SoftHSM2", (*site).softHSMKey}}

// TestServers makes handshakes with each server, and reports their rate beside
// the same server with other keys. With our key none may fail. SoftHSM2 is for
// comparison only: some servers crash in it, hang, or do not end.
func TestServers(t *testing.T) {
	for _, v := range servers() {
		for _, k := range keys {
			t.Run(v.name+"/"+k.where, func(t *testing.T) {
				harness.Need(t, v.programs...)
				if k.where == "SoftHSM2" {
					v.needComparison(t)
				}
				r := v.measure(newSite(t), k.make)
				if k.where == ours {
					mustNotFail(t, r)
				}
			})
		}
	}
}

// needComparison skips what tells nothing of this module but in a report, and takes long where clients wait in vain.
func (v server) needComparison(t *testing.T) {
	t.Helper()
	if !soak() {
		t.Skip("ZK_SOAK is not set: make soak compares with SoftHSM2")
	}
	if strings.HasPrefix(v.name, "haproxy,") && !harness.OlderPackage(t, "haproxy", "3.0") {
		t.Skip("haproxy from 3.0 on aborts with SoftHSM2 (docs/debian.md)")
	}
}

func (v server) measure(s *site, make func(*site) key) load.Result {
	s.t.Helper()
	n := 50
	if v.busy {
		n = size(200, 2000)
	}
	k := make(s)
	d := v.start(s, k)
	o := load.Options{Address: d.address, Roots: k.roots(s.t), Handshakes: n, Clients: clients}
	if k.module == softHSM { // which may let every client wait in vain
		o.Limit = time.Duration(size(30, 300)) * time.Second
	}
	r := load.Run(o)
	s.t.Logf("%s, key in %s: %.0f handshakes/s, %d of %d failed", v.name, k.where, r.Rate, len(r.Failures), r.Handshakes)
	return r
}

func mustNotFail(t *testing.T, r load.Result) {
	t.Helper()
	if len(r.Failures) != 0 {
		t.Errorf("%d handshakes failed, the first one: %v", len(r.Failures), r.Failures[0])
	}
}

// TestNginxReloadsUnderLoad reloads nginx while clients connect.
func TestNginxReloadsUnderLoad(t *testing.T) {
	harness.Need(t, "nginx")
	s := newSite(t)
	k := s.slotKey()
	n, reloads := size(500, 10000), size(2, 5)
	d := s.nginx(k)
	r := d.reloadUnderLoad(n, reloads)
	t.Logf("nginx, %d reloads: %.0f handshakes/s, %d of %d failed", reloads, r.Rate, len(r.Failures), n)
}

// reloadUnderLoad makes n handshakes, of which none may fail, and reloads nginx between them.
func (d *daemon) reloadUnderLoad(n, reloads int) load.Result {
	d.t.Helper()
	first := d.workers()
	r := load.Run(load.Options{Address: d.address, Roots: d.key.roots(d.t), Handshakes: n, Clients: clients, Done: func(done int) {
		if every := n / (reloads + 1); done%every == 0 && done/every <= reloads {
			d.signal(servers()[0].reload)
		}
	}})
	mustNotFail(d.t, r)
	d.awaitNewWorkers(first)
	return r
}

// TestServersReload reloads each server, and sees it serve after it. stunnel
// does not listen for a moment.
func TestServersReload(t *testing.T) {
	for _, v := range servers() {
		if v.reload == 0 {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			harness.Need(t, v.programs...)
			s := newSite(t)
			k := s.slotKey()
			d := v.start(s, k)
			d.awaitService(k) // Apache listens before it is ready for the signal, and dies of it then
			for range size(2, 3) {
				before := d.workers()
				d.signal(v.reload)
				d.awaitNewWorkers(before)
				d.awaitService(k)
			}
		})
	}
}

// awaitService waits until a number of handshakes succeed, all of them.
func (d *daemon) awaitService(k key) {
	d.t.Helper()
	o := load.Options{Address: d.address, Roots: k.roots(d.t), Handshakes: 20, Clients: 4}
	var last load.Result
	if !eventually(func() bool { last = load.Run(o); return len(last.Failures) == 0 }) {
		mustNotFail(d.t, last)
	}
}

// awaitNewWorkers waits until none of the earlier workers is left.
func (d *daemon) awaitNewWorkers(before []int) {
	d.t.Helper()
	left := func() bool {
		return !slices.ContainsFunc(d.workers(), func(pid int) bool { return slices.Contains(before, pid) })
	}
	if !eventually(left) {
		d.t.Errorf("of the workers %v some are left in %v", before, d.workers())
	}
}
