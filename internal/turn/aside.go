// SPDX-License-Identifier: Apache-2.0

package turn

import "runtime/debug"

// Aside has another goroutine do work that may last, while the caller pauses; without a pause the caller
// does it. It returns the error of the work. A panic of the work is one of the caller's.
func Aside(work func() error, pause Pause) error {
	if pause == nil {
		return work()
	}
	e := &errand{done: make(chan struct{})}
	go e.do(work)
	for p := firstPause; ; p = min(2*p, lastPause) {
		select {
		case <-e.done:
			if e.problem != nil {
				panic(e.problem)
			}
			return e.err
		default:
			pause(p)
		}
	}
}

// errand is work that another goroutine does.
type errand struct {
	done    chan struct{}
	err     error
	problem any // with which it panicked
}

func (e *errand) do(work func() error) {
	defer close(e.done)
	defer e.catchPanic()
	debug.SetPanicOnFault(true) // files that are cut while they are mapped
	e.err = work()
}

func (e *errand) catchPanic() { e.problem = recover() }
