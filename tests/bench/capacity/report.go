// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"libzk_pkcs11/tests/bench/capacity/simulate"
)

// report writes what the fleet can do, how long a handshake takes at the rate, and what the failure of an SCM costs.
func (q question) report(to io.Writer) error {
	most, err := capacity(q.Setup)
	if err != nil {
		return err
	}
	fmt.Fprintf(to, "%d hosts, %d SCMs, %g %% of the handshakes resumed\n", q.Hosts, q.SCMs, 100*q.Resumption)
	fmt.Fprintf(to, "at most      %.1f handshakes a second, %.1f of them with a signature\n", most, most*(1-q.Resumption))
	if q.Rate == 0 {
		q.Rate = most * 4 / 5
	}
	if q.Rate >= most {
		return errors.New("more come than can be served: the queue grows for ever")
	}
	if err := q.reportTimes(to); err != nil {
		return err
	}
	return q.reportFailure(to)
}

func (q question) reportTimes(to io.Writer) error {
	r, err := simulate.Run(q.Setup)
	if err != nil {
		return err
	}
	r = r.Steady()
	fmt.Fprintf(to, "at %.1f/s     p50 %s, p99 %s\n", q.Rate, short(r.Percentile(50)), short(r.Percentile(99)))
	return nil
}

func (q question) reportFailure(to io.Writer) error {
	s := failing(q.Setup, q.away)
	c, err := simulate.FailureCost(s, q.patience)
	if err != nil {
		return err
	}
	fmt.Fprintf(to, "an SCM away for %v: %d handshakes late, %d of them lost to clients that wait for %v; the slowest takes %s\n",
		q.away, c.Late, c.Lost, q.patience, short(c.Longest))
	fmt.Fprintf(to, "             over %s after it went\n", short(c.Over))
	return nil
}

// failing is the fleet with an SCM that goes away, and handshakes for long enough to see the end of it.
func failing(s simulate.Setup, away time.Duration) simulate.Setup {
	s.Failure = simulate.Failure{At: time.Second, For: away}
	s.Handshakes = max(s.Handshakes, int(s.Rate*(10*away.Seconds()+2)))
	return s
}

// capacity is how many handshakes end in a second when there are clients for all workers at any time.
func capacity(s simulate.Setup) (float64, error) {
	s.Rate, s.Clients = 0, 2*s.Workers
	r, err := simulate.Run(s)
	if err != nil {
		return 0, err
	}
	return r.Steady().PerSecond(), nil
}

// short is a time with three digits.
func short(d time.Duration) string {
	unit := time.Microsecond
	for d >= 1000*unit {
		unit *= 10
	}
	return d.Round(unit).String()
}
