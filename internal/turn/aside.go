// SPDX-License-Identifier: Apache-2.0

package turn

import (
	"errors"
	"runtime/debug"
)

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
			return e.result()
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

// errGone is that of work that has ended its goroutine.
var errGone = errors.New("the work has ended its goroutine")

func (e *errand) result() error {
	if e.problem != nil {
		panic(e.problem)
	}
	return e.err
}

func (e *errand) do(work func() error) {
	defer close(e.done)
	defer e.catchPanic()
	debug.SetPanicOnFault(true) // files that are cut while they are mapped
	e.err = errGone
	e.err = work()
}

func (e *errand) catchPanic() { e.problem = recover() }
