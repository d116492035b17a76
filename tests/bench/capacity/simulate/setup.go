// SPDX-License-Identifier: Apache-2.0

// Package simulate plays a fleet of hosts that serve TLS with keys in SCMs, event by event: handshakes come, wait for a worker of
// their host, and those that are not resumed wait for an SCM. The same [Setup] always gives the same [Result].
package simulate

import (
	"errors"
	"time"
)

// Setup is a fleet, and what its clients do.
type Setup struct {
	Hosts   int
	Workers int  // of a host. One makes one handshake at a time, and waits for its signature
	Ahead   bool // a worker accepts another connection before it begins with one, as nginx does: no other worker can take that then
	SCMs    int
	Pool    int // how many SCMs stand behind one slot: a signature goes to one that is free. Hosts are spread over the pools

	Device time.Duration // what a signature takes in the SCM, which makes one at a time
	Module time.Duration // what the module adds on the SCM's machine, where signatures may overlap
	Link   time.Duration // the way of a signature from the host to the SCM's machine and back
	Full   time.Duration // what a worker does for a handshake besides waiting for its signature
	Brief  time.Duration // what it does for one that is resumed
	Client time.Duration // what a client does before its handshake reaches the host

	// What else may hold up a worker in a handshake, such as other programs: one of them, drawn at random, as often before the
	// signature as after it. There may be none.
	FullDelays, BriefDelays []time.Duration

	Resumption float64 // the share of handshakes that are resumed, and need no signature
	Rate       float64 // how many come in a second, to all hosts together, at random; 0: clients in a loop
	Clients    int     // of each host, when they loop: each begins a handshake when its last has ended
	Handshakes int     // how many come
	Failure    Failure
	Seed       uint64
}

// Failure is that of the first SCM: it goes away at a time, with the signature that it is making, and comes back.
type Failure struct {
	At, For time.Duration
}

// Check reports what cannot be simulated.
func (s Setup) Check() error {
	switch {
	case s.Hosts < 1 || s.Workers < 1 || s.SCMs < 1 || s.Pool < 1 || s.Handshakes < 1:
		return errors.New("hosts, workers, SCMs, the SCMs of a pool and handshakes are 1 or more")
	case s.SCMs%s.Pool != 0:
		return errors.New("the SCMs make no whole number of pools")
	case s.Resumption < 0 || s.Resumption > 1:
		return errors.New("resumption is a share from 0 to 1")
	case s.Rate < 0 || s.Rate == 0 && s.Clients < 1:
		return errors.New("handshakes come at a rate, or from clients")
	case min(s.Device, s.Module, s.Link, s.Full, s.Brief, s.Client, s.Failure.At, s.Failure.For) < 0:
		return errors.New("times are not below 0")
	}
	return nil
}
