// SPDX-License-Identifier: Apache-2.0

package simulate

import "slices"

// queue is what waits: the one that came first leaves first.
type queue[T any] struct {
	waiting []T
	head    int
}

func (q *queue[T]) join(one T) { q.waiting = append(q.waiting, one) }

func (q *queue[T]) isEmpty() bool { return q.head == len(q.waiting) }

func (q *queue[T]) first() T { return q.waiting[q.head] }

func (q *queue[T]) last() T { return q.waiting[len(q.waiting)-1] }

// leave takes the first.
func (q *queue[T]) leave() T {
	one := q.first()
	q.head++
	if q.head > 1000 && q.head > len(q.waiting)/2 { // the room of those that have left
		q.waiting = q.waiting[:copy(q.waiting, q.waiting[q.head:])]
		q.head = 0
	}
	return one
}

// rejoin puts one that was served already before the others.
func (q *queue[T]) rejoin(one T) {
	q.waiting = append([]T{one}, q.waiting[q.head:]...)
	q.head = 0
}

// remove takes those out for which it is so.
func (q *queue[T]) remove(isSo func(T) bool) {
	q.waiting = slices.DeleteFunc(q.waiting[q.head:], isSo)
	q.head = 0
}
