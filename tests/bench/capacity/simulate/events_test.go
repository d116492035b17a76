// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestAgenda: events come in the order of their times, and those of one time in that in which they were planned, also while others are
// added.
func TestAgenda(t *testing.T) {
	const events = 20000
	random := rand.New(rand.NewPCG(1, 1))
	var a agenda
	var last event
	added, taken := 0, 0
	for taken < events {
		for added < events && random.IntN(3) > 0 {
			a.add(event{at: last.at + time.Duration(random.IntN(50)), step: step(random.IntN(int(recovers) + 1))})
			added++
		}
		e, ok := a.next()
		if !ok {
			continue
		}
		if !last.before(e) && taken > 0 {
			t.Fatalf("%v (%d) comes after %v (%d)", e.at, e.order, last.at, last.order)
		}
		last = e
		taken++
	}
	if _, ok := a.next(); ok {
		t.Error("an event was never added")
	}
}
