// SPDX-License-Identifier: Apache-2.0

package main

import "libzk_pkcs11/tests/bench/capacity/simulate"

// failedPool is the cost of a failure in a fleet. Only the pool of the SCM notices it, so that this alone is simulated: what comes to
// it at random is a share of what comes to all.
func failedPool(pool int, load float64) (simulate.Cost, simulate.Setup, error) {
	s := failing(loaded(pool, pool, load), outage)
	c, err := simulate.FailureCost(s, patience)
	return c, s, err
}

func drawFailure() (chart, error) {
	c := chart{
		title: "One SCM away for 10 s: late of 1,000 in a minute", x: decades("SCMs", 10, 10000), y: decades("", 0.01, 100),
	}
	for _, pool := range []int{1, 2, 5} {
		cost, s, err := failedPool(pool, load)
		if err != nil {
			return c, err
		}
		l := line{name: poolName(pool)}
		for _, n := range fleetSizes() {
			come := s.Rate * 60 * float64(n) / float64(pool)
			l.points = append(l.points, point{float64(n), 1000 * float64(cost.Late) / come})
		}
		c.lines = append(c.lines, l)
	}
	return c, nil
}

func drawLoads() (chart, error) {
	c := chart{title: "One SCM away for 10 s: the slowest, in s", x: steps("load of an SCM, in %", 10, 90, 10), y: steps("", 0, 12, 2)}
	for _, pool := range []int{1, 2, 5} {
		l := line{name: poolName(pool)}
		for percent := 10; percent <= 90; percent += 10 {
			cost, _, err := failedPool(pool, float64(percent)/100)
			if err != nil {
				return c, err
			}
			l.points = append(l.points, point{float64(percent), cost.Longest.Seconds()})
		}
		c.lines = append(c.lines, l)
	}
	return c, nil
}
