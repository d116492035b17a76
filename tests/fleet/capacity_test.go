// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"libzk_pkcs11/tests/bench/capacity/simulate"
	"libzk_pkcs11/tests/harness"
)

// deviceTime is what a signature takes in the SCM of TestCapacity.
const deviceTime = 20 * time.Millisecond

// How long is measured.
const (
	singles = 5 * time.Second
	length  = 15 * time.Second
)

// TestCapacity holds the simulation of tests/bench/capacity against two hosts and an SCM that makes one signature at a time. What it is
// told are the times of single signatures and handshakes of the same run.
func TestCapacity(t *testing.T) {
	f := newSlowFleet(t)
	ways := f.ways()
	for _, share := range []float64{0, 0.5, 0.9} {
		for _, clients := range []int{1, 4, 8} {
			f.compare(f.alone(ways), clients, share) // what else the machine does changes
		}
	}
}

// newSlowFleet is a fleet whose SCM makes one signature at a time. It takes a while.
func newSlowFleet(t *testing.T) *fleet {
	t.Helper()
	if os.Getenv("ZK_SOAK") == "" {
		t.Skip("ZK_SOAK is not set: make soak runs this")
	}
	needHosts(t)
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{t: t, soft: fmt.Sprintf("latency_sign = %q\n", deviceTime), turns: filepath.Join(t.TempDir(), "turns")}
	f.gate = fmt.Sprintf("env %s=%s %s=%v %s ", gateVariable, f.turns, turnVariable, deviceTime, own)
	f.start()
	for _, h := range f.servers {
		f.awaitWhole(h)
	}
	return f
}

// ways measures single signatures.
func (f *fleet) ways() simulate.Setup {
	f.t.Helper()
	f.home.Export(f.t)
	near := median(login(f.t, harness.Module(f.t)))
	f.t.Setenv("P11_KIT_SERVER_ADDRESS", "unix:path="+f.servers[0].socket())
	far := median(login(f.t, clientLibrary(f.t)))
	f.t.Logf("a signature takes %v where the SCM is, %v on another host", near, far)
	return simulate.Setup{
		Hosts: len(f.servers), Workers: 2, Ahead: true, SCMs: 1, Pool: 1, Device: deviceTime, Module: near - deviceTime, Link: far - near, Seed: 1, Handshakes: 50000,
	}
}

// alone measures handshakes while there is no other.
func (f *fleet) alone(s simulate.Setup) simulate.Setup {
	f.t.Helper()
	brief, briefWork := f.single(1)
	full, fullWork := f.single(0)
	s.Brief, s.Full, s.Client = briefWork, fullWork, max(0, at(brief, 50)-briefWork)
	s.BriefDelays = beyond(brief, s.Client+s.Brief)
	s.FullDelays = beyond(full, s.Client+s.Full+s.Link+s.Module+s.Device)
	f.t.Logf("alone: resumed p50 %v, p99 %v, work of the server %v; with a signature p50 %v, p99 %v, work %v",
		at(brief, 50), at(brief, 99), briefWork, at(full, 50), at(full, 99), fullWork)
	return s
}

// beyond is by how much times exceed one.
func beyond(times []time.Duration, one time.Duration) (more []time.Duration) {
	for _, d := range times {
		more = append(more, max(0, d-one))
	}
	return more
}

// at is a percentile of sorted times.
func at(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)-1)*percent/100].Round(time.Microsecond)
}

// single returns how long handshakes take while there is no other, sorted, and for how long a server works for one.
func (f *fleet) single(share float64) (took []time.Duration, work time.Duration) {
	f.t.Helper()
	h := f.servers[0]
	b := f.newBrowser(h, 0)
	before := h.work("nginx")
	var wait sync.WaitGroup
	wait.Go(func() { b.loop(share, time.Now().Add(singles)) })
	wait.Wait()
	if b.err != nil {
		f.t.Fatal(b.err)
	}
	slices.Sort(b.took)
	return b.took, (h.work("nginx") - before) / time.Duration(len(b.took))
}

// work is for how long processes of a name on the host have been on a processor.
func (h *host) work(name string) (sum time.Duration) {
	h.t.Helper()
	for _, pid := range h.processes() {
		comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if strings.TrimSpace(string(comm)) != name {
			continue
		}
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		for _, path := range tasks {
			var on int64
			text, _ := os.ReadFile(path)
			_, _ = fmt.Sscan(string(text), &on)
			sum += time.Duration(on)
		}
	}
	return sum
}

// compare measures clients in a loop, simulates them, and prints both.
func (f *fleet) compare(s simulate.Setup, clients int, share float64) {
	f.t.Helper()
	took := f.loops(clients, share, length)
	slices.Sort(took)
	s.Clients, s.Resumption = clients, share
	r, err := simulate.Run(s)
	if err != nil {
		f.t.Fatal(err)
	}
	r = r.Steady()
	rate, p99 := float64(len(took))/length.Seconds(), at(took, 99)
	f.t.Logf("%2.0f %% resumed, %d clients of each host: measured %5.1f/s, p50 %v, p99 %v; simulated %5.1f/s, p50 %v, p99 %v; ratio %.2f, p99 %.2f", 100*share, clients,
		rate, at(took, 50), p99, r.PerSecond(), r.Percentile(50), r.Percentile(99), r.PerSecond()/rate, r.Percentile(99).Seconds()/p99.Seconds())
}
