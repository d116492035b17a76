// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"errors"
	"time"
)

// Cost is what one failure costs: what differs from a run without it, in which the same handshakes come at the same times.
type Cost struct {
	Late    int           // handshakes that took longer than without the failure by more than a signature
	Lost    int           // those of them that took longer than clients wait
	Longest time.Duration // the slowest handshake
	Over    time.Duration // from the failure to the end of the last that is late
}

// FailureCost simulates twice, with and without the failure. Clients wait for patience. Their work is done all the same: a server
// notices late that they are gone.
func FailureCost(s Setup, patience time.Duration) (Cost, error) {
	if s.Rate == 0 {
		return Cost{}, errors.New("what a failure costs is told of handshakes that come at a rate")
	}
	with, err := Run(s)
	if err != nil {
		return Cost{}, err
	}
	calm := s
	calm.Failure = Failure{}
	without, err := Run(calm)
	if err != nil {
		return Cost{}, err
	}
	var c Cost
	before := without.InOrder()
	for i, h := range with.InOrder() {
		c.add(h, h.Took-before[i].Took, s, patience)
	}
	return c, nil
}

// add counts a handshake that took longer by some time.
func (c *Cost) add(h Handshake, longer time.Duration, s Setup, patience time.Duration) {
	if longer <= s.Device {
		return
	}
	c.Late++
	if h.Took > patience {
		c.Lost++
	}
	c.Longest = max(c.Longest, h.Took)
	c.Over = max(c.Over, h.Ended()-s.Failure.At)
}
