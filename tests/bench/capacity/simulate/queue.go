// SPDX-License-Identifier: Apache-2.0

package simulate

// queue is who waits: who came first is served first.
type queue struct {
	waiting []*handshake
	head    int
}

func (q *queue) join(h *handshake) { q.waiting = append(q.waiting, h) }

func (q *queue) isEmpty() bool { return q.head == len(q.waiting) }

// leave takes the first.
func (q *queue) leave() *handshake {
	h := q.waiting[q.head]
	q.waiting[q.head] = nil
	q.head++
	if q.head > 1000 && q.head > len(q.waiting)/2 { // the room of those that have left
		q.waiting, q.head = append([]*handshake(nil), q.waiting[q.head:]...), 0
	}
	return h
}

// rejoin puts one that was served already before the others.
func (q *queue) rejoin(h *handshake) {
	q.waiting = append([]*handshake{h}, q.waiting[q.head:]...)
	q.head = 0
}
