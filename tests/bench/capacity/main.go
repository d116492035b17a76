// SPDX-License-Identifier: Apache-2.0

// Command capacity answers from measured latencies what a fleet does: handshakes a second for hosts and SCMs, how long one takes,
// and what the failure of an SCM costs. docs/capacity.md tells how to use it.
//
//	go run ./tests/bench/capacity --hosts 2 --scms 1 --device 20ms --resumption 0.9 --rate 300
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"libzk_pkcs11/tests/bench/capacity/simulate"
)

// question is what the command line asks.
type question struct {
	simulate.Setup
	away     time.Duration
	patience time.Duration
	picture  string
}

func main() {
	if err := answer(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "capacity:", err)
		os.Exit(2)
	}
}

// answer reads the command line, and writes what it asks for.
func answer(words []string, to io.Writer) error {
	q, err := parse(words)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if q.picture == "" {
		return q.report(to)
	}
	picture, err := draw()
	if err != nil {
		return err
	}
	return os.WriteFile(q.picture, []byte(picture), 0o644)
}

// parse reads the command line. What it does not say is as measured by tests/fleet, with an SCM that signs in 20 ms.
func parse(words []string) (question, error) {
	q := question{Setup: measured()}
	f := flag.NewFlagSet("capacity", flag.ContinueOnError)
	f.IntVar(&q.Hosts, "hosts", q.Hosts, "hosts that serve TLS")
	f.IntVar(&q.Workers, "workers", q.Workers, "processes of a host, each of which makes one handshake at a time")
	f.BoolVar(&q.Ahead, "ahead", q.Ahead, "processes accept a connection before they have time for it, as those of nginx do")
	f.IntVar(&q.SCMs, "scms", q.SCMs, "SCMs")
	f.IntVar(&q.Pool, "pool", q.Pool, "SCMs behind one slot, of which the free one signs; 1: each host has one SCM")
	f.DurationVar(&q.Device, "device", q.Device, "a signature in the SCM")
	f.DurationVar(&q.Module, "module", q.Module, "what the module adds to it")
	f.DurationVar(&q.Link, "link", q.Link, "the way to the SCM and back")
	f.DurationVar(&q.Full, "full", q.Full, "work of a server for a handshake besides the signature")
	f.DurationVar(&q.Brief, "brief", q.Brief, "work of a server for a handshake that is resumed")
	f.DurationVar(&q.Client, "client", q.Client, "work and way of a client before its handshake is with the server")
	f.Float64Var(&q.Resumption, "resumption", 0, "share of handshakes that are resumed, 0 to 1")
	f.Float64Var(&q.Rate, "rate", 0, "handshakes a second that come, to all hosts together; 0: four of five that can be served")
	f.IntVar(&q.Handshakes, "handshakes", q.Handshakes, "how many are simulated at least")
	f.DurationVar(&q.away, "away", 10*time.Second, "how long an SCM fails")
	f.DurationVar(&q.patience, "patience", 5*time.Second, "how long clients wait")
	f.Uint64Var(&q.Seed, "seed", q.Seed, "another one gives other clients")
	f.StringVar(&q.picture, "svg", "", "write the picture of docs/capacity.md to this file, and nothing else")
	if err := f.Parse(words); err != nil {
		return q, err
	}
	if f.NArg() > 0 {
		return q, fmt.Errorf("%q is no option", f.Arg(0))
	}
	return q, nil
}

// measured is a fleet with the times that tests/fleet has measured, and one SCM.
func measured() simulate.Setup {
	return simulate.Setup{
		Hosts: 2, Workers: 2, Ahead: true, SCMs: 1, Pool: 1, Handshakes: 20000, Seed: 1,
		Device: 20 * time.Millisecond, Module: 100 * time.Microsecond, Link: 400 * time.Microsecond,
		Full: time.Millisecond, Brief: 500 * time.Microsecond, Client: 500 * time.Microsecond,
	}
}
