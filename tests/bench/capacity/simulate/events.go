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

// agenda is what is to happen. Most events of a step come as late as the one before it, and later than that: they are in a queue. Others
// are in a heap, the next one first.
type agenda struct {
	inOrder [recovers + 1]queue[event]
	heap    []event
	orders  uint32
}

func (e event) before(other event) bool {
	return e.at < other.at || e.at == other.at && e.order < other.order
}

func (a *agenda) add(e event) {
	a.orders++
	e.order = a.orders
	if q := &a.inOrder[e.step]; q.isEmpty() || q.last().before(e) {
		q.join(e)
		return
	}
	a.heap = append(a.heap, e)
	for i := len(a.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !a.heap[i].before(a.heap[parent]) {
			return
		}
		a.heap[i], a.heap[parent] = a.heap[parent], a.heap[i]
		i = parent
	}
}

// next takes the first event, and reports whether there is one.
func (a *agenda) next() (e event, ok bool) {
	var from *queue[event]
	for i := range a.inOrder {
		if q := &a.inOrder[i]; !q.isEmpty() && (from == nil || q.first().before(from.first())) {
			from = q
		}
	}
	if len(a.heap) > 0 && (from == nil || a.heap[0].before(from.first())) {
		return a.top(), true
	}
	if from == nil {
		return e, false
	}
	return from.leave(), true
}

// top takes the first event of the heap.
func (a *agenda) top() event {
	first, last := a.heap[0], len(a.heap)-1
	a.heap[0] = a.heap[last]
	a.heap = a.heap[:last]
	a.sink()
	return first
}

// sink moves the event at the top to its place.
func (a *agenda) sink() {
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(a.heap); child++ {
			if a.heap[child].before(a.heap[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		a.heap[i], a.heap[least] = a.heap[least], a.heap[i]
		i = least
	}
}
