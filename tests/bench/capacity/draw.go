// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"libzk_pkcs11/tests/bench/capacity/simulate"
)

// What is drawn, besides the times that were measured.
const (
	hostsOfSCM = 2                // hosts for each SCM
	load       = 0.7              // share of the time in which an SCM signs
	outage     = 10 * time.Second // of one SCM
	patience   = 5 * time.Second  // of clients
	fewest     = 40000            // handshakes that are simulated
)

// fleetSizes are the numbers of SCMs that are simulated.
func fleetSizes() []int { return []int{10, 100, 1000, 10000} }

// draw simulates fleets of 10 to 10,000 SCMs, and draws what they can do and what a failure costs.
func draw() (string, error) {
	drawings := []func() (chart, error){drawCapacity, drawTimes, drawFailure, drawLoads}
	charts, errs := make([]chart, len(drawings)), make([]error, len(drawings))
	var wait sync.WaitGroup
	for i, drawing := range drawings {
		wait.Go(func() { charts[i], errs[i] = drawing() })
	}
	wait.Wait()
	return svg(charts), errors.Join(errs...)
}

// sized is a fleet with a number of SCMs, some of them behind one slot.
func sized(scms, pool int) simulate.Setup {
	s := measured()
	s.SCMs, s.Pool, s.Hosts = scms, pool, scms*hostsOfSCM
	s.Handshakes = max(fewest, 40*scms)
	return s
}

// loaded is one to which so many handshakes come, none of them resumed, that SCMs are busy for a share of the time.
func loaded(scms, pool int, load float64) simulate.Setup {
	s := sized(scms, pool)
	s.Rate = load * float64(scms) / s.Device.Seconds()
	return s
}

func drawCapacity() (chart, error) {
	c := chart{title: "Handshakes a second, at most", x: decades("SCMs", 10, 10000), y: decades("", 100, 10000000)}
	for _, share := range []float64{0, 0.5, 0.9} {
		l := line{name: fmt.Sprintf("%.0f %% resumed", 100*share)}
		for _, n := range fleetSizes() {
			s := sized(n, 1)
			s.Resumption = share
			s.Handshakes = int(max(fewest, float64(n)*(8+10/(1-share)))) // the first signatures of each SCM are not counted
			most, err := capacity(s)
			if err != nil {
				return c, err
			}
			l.points = append(l.points, point{float64(n), most})
		}
		c.lines = append(c.lines, l)
	}
	return c, nil
}

// pools are those that are drawn; 0 has all SCMs of a fleet in one.
func pools() []int { return []int{1, 2, 5, 0} }

func poolName(pool int) string {
	switch pool {
	case 0:
		return "all SCMs in one pool"
	case 1:
		return "each host has one SCM"
	}
	return fmt.Sprintf("pools of %d", pool)
}

func drawTimes() (chart, error) {
	c := chart{title: "p99 of a handshake at 70 % load, in ms", x: decades("SCMs", 10, 10000), y: steps("", 0, 200, 25)}
	for _, pool := range pools() {
		l := line{name: poolName(pool)}
		for _, n := range fleetSizes() {
			inPool := pool
			if pool == 0 {
				inPool = n
			}
			r, err := simulate.Run(loaded(n, inPool, load))
			if err != nil {
				return c, err
			}
			l.points = append(l.points, point{float64(n), r.Steady().Percentile(99).Seconds() * 1000})
		}
		c.lines = append(c.lines, l)
	}
	return c, nil
}
