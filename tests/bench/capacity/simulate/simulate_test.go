// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"math"
	"slices"
	"testing"
	"time"
)

const ms = time.Millisecond

// simple is a fleet in which nothing but the SCM takes time, with workers for all that come.
func simple(scms, inPool int) Setup {
	return Setup{Hosts: 4, Workers: 100000, SCMs: scms, Pool: inPool, Device: 20 * ms, Handshakes: 200000, Seed: 1}
}

func run(t *testing.T, s Setup) Result {
	t.Helper()
	r, err := Run(s)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Handshakes) != s.Handshakes {
		t.Fatalf("%d handshakes ended of %d", len(r.Handshakes), s.Handshakes)
	}
	return r
}

// near fails when a figure is further from what theory says than a share of it.
func near(t *testing.T, what string, got, want, share float64) {
	t.Helper()
	if math.Abs(got-want) > share*want {
		t.Errorf("%s: %.4g, theory says %.4g", what, got, want)
	}
}

// TestPollaczekKhinchine: one SCM and handshakes at random are a queue M/D/1, in which they wait for ρD/2(1-ρ) on average.
func TestPollaczekKhinchine(t *testing.T) {
	for _, load := range []float64{0.1, 0.3, 0.5, 0.7, 0.8, 0.9} {
		s := simple(1, 1)
		s.Rate = load / s.Device.Seconds()
		waited := run(t, s).Mean() - s.Device
		near(t, "wait", waited.Seconds(), load*s.Device.Seconds()/2/(1-load), 0.05)
	}
}

// TestNobodyWaits: a handshake finds the SCM of an M/D/1 free with the probability 1-ρ.
func TestNobodyWaits(t *testing.T) {
	s := simple(1, 1)
	const load = 0.6
	s.Rate = load / s.Device.Seconds()
	free := 0
	for _, h := range run(t, s).Handshakes {
		if h.Took == s.Device {
			free++
		}
	}
	near(t, "share that waits for nobody", float64(free)/float64(s.Handshakes), 1-load, 0.02)
}

// TestResumed: those that are resumed take their own time, and what is left of a Poisson process is one.
func TestResumed(t *testing.T) {
	s := simple(1, 1)
	s.Resumption, s.Brief, s.Full, s.Module, s.Link, s.Client = 0.75, 1*ms, 2*ms, 5*ms, 4*ms, 3*ms
	const load = 0.7
	s.Rate = load / s.Device.Seconds() / (1 - s.Resumption)
	var full []Handshake
	for _, h := range run(t, s).Handshakes {
		if !h.Resumed {
			full = append(full, h)
		} else if h.Took != s.Client+s.Brief {
			t.Fatalf("a resumed handshake took %v", h.Took)
		}
	}
	near(t, "share that is not resumed", float64(len(full))/float64(s.Handshakes), 1-s.Resumption, 0.02)
	waited := Result{full}.Mean() - s.Client - s.Full - s.Link - s.Module - s.Device
	near(t, "wait", waited.Seconds(), load*s.Device.Seconds()/2/(1-load), 0.06)
}

// TestManyQueues: hosts that are spread over SCMs make a queue M/D/1 of each.
func TestManyQueues(t *testing.T) {
	s := simple(4, 1)
	const load = 0.8
	s.Rate = 4 * load / s.Device.Seconds()
	waited := run(t, s).Mean() - s.Device
	near(t, "wait", waited.Seconds(), load*s.Device.Seconds()/2/(1-load), 0.06)
}

// TestPool: those who wait for one of several SCMs wait less than for one of their own, and about as Lee and Longton say of a queue
// M/D/c, which is half of what Erlang's C says of M/M/c.
func TestPool(t *testing.T) {
	s := simple(4, 4)
	const load = 0.8
	s.Rate = 4 * load / s.Device.Seconds()
	waited := run(t, s).Mean() - s.Device
	erlang := erlangC(4, 4*load) * s.Device.Seconds() / (4 * (1 - load))
	near(t, "wait", waited.Seconds(), erlang/2, 0.1)
}

// erlangC is the probability that all of c servers are busy under an offered load.
func erlangC(c int, offered float64) float64 {
	term, sum := 1.0, 1.0
	for i := 1; i < c; i++ {
		term *= offered / float64(i)
		sum += term
	}
	last := term * offered / float64(c) / (1 - offered/float64(c))
	return last / (sum + last)
}

// TestLittle: those that are in the fleet at a time are as many as come in a second times how long they stay.
func TestLittle(t *testing.T) {
	s := simple(2, 2)
	s.Rate = 70
	r := run(t, s)
	var edges []edge
	for _, h := range r.Handshakes {
		edges = append(edges, edge{h.Began, 1}, edge{h.Ended(), -1})
	}
	inside, span := area(edges)
	near(t, "handshakes at a time", inside, float64(s.Handshakes)/span*r.Mean().Seconds(), 0.001)
	near(t, "handshakes a second", float64(s.Handshakes)/span, s.Rate, 0.02)
}

type edge struct {
	at time.Duration
	by int
}

// area is how many were inside on average, and for how many seconds it was looked at.
func area(edges []edge) (average, span float64) {
	slices.SortFunc(edges, func(a, b edge) int { return int(a.at - b.at) })
	inside, sum := 0, 0.0
	for i, e := range edges[1:] {
		inside += edges[i].by
		sum += float64(inside) * (e.at - edges[i].at).Seconds()
	}
	span = (edges[len(edges)-1].at - edges[0].at).Seconds()
	return sum / span, span
}

// TestLoop: clients in a loop get 1/D from an SCM that is never idle, and C/(D+Z) from one that has time for all.
func TestLoop(t *testing.T) {
	for _, tt := range []struct {
		clients, scms int
		perSecond     float64
	}{{1, 1, 50}, {8, 1, 50}, {1, 4, 4 / 0.03}, {8, 4, 200}} {
		s := simple(tt.scms, 1)
		s.Handshakes, s.Hosts, s.Clients, s.Client = 20000, tt.scms, tt.clients, 10*ms
		if tt.clients == 1 && tt.scms == 1 {
			tt.perSecond = 1 / 0.03
		}
		near(t, "handshakes a second", run(t, s).Steady().PerSecond(), tt.perSecond, 0.01)
	}
}

// TestWorkers: as many signatures are on their way as there are workers, however many clients come.
func TestWorkers(t *testing.T) {
	s := simple(4, 4)
	s.Hosts, s.Workers, s.Clients, s.Full, s.Link, s.Handshakes = 1, 2, 50, 3*ms, 2*ms, 20000
	r := run(t, s).Steady()
	near(t, "handshakes a second", r.PerSecond(), 2/0.025, 0.01)
	near(t, "time of one", r.Mean().Seconds(), 50/(2/0.025), 0.01)
}

// TestDelays: what else holds a worker up adds its mean, to handshakes with and without a signature.
func TestDelays(t *testing.T) {
	s := simple(1, 1)
	s.Hosts, s.Clients, s.Resumption, s.Full, s.Brief = 1, 1, 0.5, 3*ms, 1*ms
	s.FullDelays, s.BriefDelays = []time.Duration{0, 0, 0, 40 * ms}, []time.Duration{0, 6 * ms}
	r := run(t, s)
	near(t, "handshake", r.Mean().Seconds(), (0.033+0.004)/2, 0.01)
	if got := r.Percentile(99); got != 63*ms {
		t.Errorf("p99 is %v", got)
	}
}

// TestAhead: of clients in a loop, some are held by a worker while another has time for those that came later. The mean is the same, by
// Little's law.
func TestAhead(t *testing.T) {
	s := simple(1, 1)
	s.Hosts, s.Workers, s.Clients, s.Handshakes = 1, 4, 8, 20000
	s.FullDelays = []time.Duration{0, 0, 0, 30 * ms}
	fair := run(t, s).Steady()
	s.Ahead = true
	ahead := run(t, s).Steady()
	near(t, "mean", ahead.Mean().Seconds(), fair.Mean().Seconds(), 0.01)
	near(t, "handshakes a second", ahead.PerSecond(), fair.PerSecond(), 0.01)
	if fair.Percentile(99) >= ahead.Percentile(99) {
		t.Errorf("p99 is %v, and %v where workers accept ahead", fair.Percentile(99), ahead.Percentile(99))
	}
	t.Logf("p99 is %v, and %v where workers accept ahead", fair.Percentile(99), ahead.Percentile(99))
}

// TestDelaysAfter: of two clients in a loop each waits for the other's signature. A delay before its own is a part of that, one after it
// is not, and there are as many of these as of those.
func TestDelaysAfter(t *testing.T) {
	s := simple(1, 1)
	s.Hosts, s.Clients, s.Handshakes, s.FullDelays = 1, 2, 20000, []time.Duration{0, 0, 0, 0, 0, 0, 0, 0, 0, 20 * ms}
	r := run(t, s).Steady()
	near(t, "share that a delay makes slower", float64(len(r.Late(41*ms).Handshakes))/float64(len(r.Handshakes)), 0.05, 0.1)
}
