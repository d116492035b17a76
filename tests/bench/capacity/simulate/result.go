// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"slices"
	"time"
)

// Handshake is how one went.
type Handshake struct {
	Number      int // in the order in which they began
	Host        int
	Resumed     bool
	Began, Took time.Duration
}

// Result are the handshakes, in the order in which they ended.
type Result struct {
	Handshakes []Handshake
}

// Steady returns the handshakes that ended while others still began, without the first half of them: the fleet is neither filled nor
// emptied meanwhile.
func (r Result) Steady() Result {
	var last time.Duration
	for _, h := range r.Handshakes {
		last = max(last, h.Began)
	}
	n, _ := slices.BinarySearchFunc(r.Handshakes, last, func(h Handshake, at time.Duration) int { return cmp.Compare(h.Ended(), at) })
	if n < 4 { // all of them began at once
		return r
	}
	return Result{r.Handshakes[n/2 : n]}
}

// Ended returns when a handshake ended.
func (h Handshake) Ended() time.Duration { return h.Began + h.Took }

// Late returns those that took longer than a time.
func (r Result) Late(than time.Duration) Result {
	var late Result
	for _, h := range r.Handshakes {
		if h.Took > than {
			late.Handshakes = append(late.Handshakes, h)
		}
	}
	return late
}

// PerSecond returns how many handshakes ended in a second.
func (r Result) PerSecond() float64 {
	first, last := r.Handshakes[0], r.Handshakes[len(r.Handshakes)-1]
	return float64(len(r.Handshakes)-1) / (last.Ended() - first.Ended()).Seconds()
}

// Percentile returns the time that so many percent of the handshakes did not exceed.
func (r Result) Percentile(percent int) time.Duration {
	took := make([]time.Duration, len(r.Handshakes))
	for i, h := range r.Handshakes {
		took[i] = h.Took
	}
	slices.Sort(took)
	return took[(len(took)-1)*percent/100]
}

// Mean returns the mean time of the handshakes.
func (r Result) Mean() time.Duration {
	var sum time.Duration
	for _, h := range r.Handshakes {
		sum += h.Took
	}
	return sum / time.Duration(len(r.Handshakes))
}

// InOrder returns the handshakes in the order in which they began.
func (r Result) InOrder() []Handshake {
	list := slices.Clone(r.Handshakes)
	slices.SortFunc(list, func(a, b Handshake) int { return cmp.Compare(a.Number, b.Number) })
	return list
}
