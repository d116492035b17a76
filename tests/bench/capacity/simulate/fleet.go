// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"math"
	"math/rand/v2"
	"time"
)

// handshake is one of a client with a host.
type handshake struct {
	number  int
	host    int
	resumed bool
	began   time.Duration
	delay   time.Duration // that it meets after its signature
	next    *handshake    // which its worker has accepted ahead
}

// host serves TLS.
type host struct {
	idle    int // workers
	pool    int
	backlog queue[*handshake] // handshakes that wait for a worker
}

// scm makes one signature at a time.
type scm struct {
	pool   int
	making *handshake
	made   uint32 // attempts
}

// pool is SCMs behind one slot.
type pool struct {
	free    queue[*scm] // the one that is free for longest comes first
	backlog queue[*handshake]
}

// fleet is a simulation that runs.
type fleet struct {
	Setup
	agenda
	now     time.Duration
	random  *rand.Rand
	hosts   []host
	scms    []scm
	pools   []pool
	begun   int
	results []Handshake
}

// Run simulates.
func Run(s Setup) (Result, error) {
	if err := s.Check(); err != nil {
		return Result{}, err
	}
	f := newFleet(s)
	f.begin()
	for e, ok := f.next(); ok; e, ok = f.next() {
		f.now = e.at
		f.take(e)
	}
	return Result{f.results}, nil
}

func newFleet(s Setup) *fleet {
	f := &fleet{Setup: s, random: rand.New(rand.NewPCG(s.Seed, 17)), results: make([]Handshake, 0, s.Handshakes)}
	f.hosts, f.scms, f.pools = make([]host, s.Hosts), make([]scm, s.SCMs), make([]pool, s.SCMs/s.Pool)
	for i := range f.hosts {
		f.hosts[i] = host{idle: s.Workers, pool: i % len(f.pools)}
	}
	for i := range f.scms {
		f.scms[i].pool = i / s.Pool
		f.pools[i/s.Pool].free.join(&f.scms[i])
	}
	return f
}

// begin plans what begins by itself.
func (f *fleet) begin() {
	if f.Failure.For > 0 {
		f.add(event{at: f.Failure.At, step: fails})
		f.add(event{at: f.Failure.At + f.Failure.For, step: recovers})
	}
	if f.Rate > 0 {
		f.arrive(0)
		return
	}
	for range f.Clients {
		for i := range f.hosts {
			f.start(i, time.Duration(f.random.Float64()*float64(f.Device))) // not all of them in step
		}
	}
}

// arrive plans the next handshake of those that come at random: the time between two is exponential.
func (f *fleet) arrive(last time.Duration) {
	gap := -math.Log(1-f.random.Float64()) / f.Rate
	f.start(f.random.IntN(f.Hosts), last+time.Duration(gap*float64(time.Second)))
}

// start has a client of a host begin a handshake, unless there were enough.
func (f *fleet) start(host int, at time.Duration) {
	if f.begun == f.Handshakes {
		return
	}
	h := &handshake{number: f.begun, host: host, resumed: f.random.Float64() < f.Resumption, began: at}
	f.begun++
	f.add(event{at: at + f.Client, step: comes, shake: h})
}

func (f *fleet) after(d time.Duration, s step, h *handshake) {
	f.add(event{at: f.now + d, step: s, shake: h})
}
