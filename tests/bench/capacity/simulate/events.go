// SPDX-License-Identifier: Apache-2.0

package simulate

import "time"

// event is what happens at a time. Of two at the same time that which was planned first happens first.
type event struct {
	at    time.Duration
	shake *handshake // nil where the step is of the failing SCM
	by    *scm       // which signs
	order uint32
	made  uint32 // its attempt, which a failure ends
	step  step
}

// step is what an event does.
type step uint8

const (
	comes    step = iota // a handshake reaches its host
	reaches              // its worker's question reaches the SCM's machine
	signed               // the SCM has made the signature
	ends                 // the handshake has all that it needs
	fails                // the first SCM goes away
	recovers             // and comes back
)

// branches is how many events are below one in the heap. Four need fewer steps through memory than two.
const branches = 4

// agenda is a heap of events: the next one comes first.
type agenda struct {
	events []event
	orders uint32
}

func (e event) before(other event) bool {
	return e.at < other.at || e.at == other.at && e.order < other.order
}

func (a *agenda) add(e event) {
	a.orders++
	e.order = a.orders
	a.events = append(a.events, e)
	for i := len(a.events) - 1; i > 0; {
		parent := (i - 1) / branches
		if !a.events[i].before(a.events[parent]) {
			return
		}
		a.events[i], a.events[parent] = a.events[parent], a.events[i]
		i = parent
	}
}

func (a *agenda) isEmpty() bool { return len(a.events) == 0 }

// next takes the first event.
func (a *agenda) next() event {
	first, last := a.events[0], len(a.events)-1
	a.events[0] = a.events[last]
	a.events = a.events[:last]
	a.sink()
	return first
}

// sink moves the event at the top to its place.
func (a *agenda) sink() {
	for i := 0; ; {
		least := i
		for child := branches*i + 1; child <= branches*(i+1) && child < len(a.events); child++ {
			if a.events[child].before(a.events[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		a.events[i], a.events[least] = a.events[least], a.events[i]
		i = least
	}
}
